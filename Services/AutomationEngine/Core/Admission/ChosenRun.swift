import FoundationEssentials

/// A held run that leaves a gate.
struct ChosenRun: Sendable {
    let id: UUID
    let gate: AdmissionGate
    let placeKey: String?
    let rateKey: String?

    /// Where it stands next; nil where it has no limit to count against.
    var nextStage: AdmissionLedger.Entry.Stage? {
        switch gate.kind {
        case .pause where placeKey != nil: .place
        case .pause, .place: rateKey != nil ? .rate : gate.kind == .place ? .going : nil
        case .rate: placeKey != nil ? .going : nil
        case .dedupe: nil
        }
    }
}
