import FoundationEssentials
import Persistence

/// A row of `engine.admissions` that says that it is time to look.
struct HeldRunNote: Sendable {
    let run: UUID
    let hasEnded: Bool
    /// Where others may find room because of it.
    let gates: [AdmissionGate]

    init(_ row: PostgresRow) throws {
        run = try row.decode(0)
        let automation = try row.decode(1, as: UUID.self)
        let stage = try row.decode(2, as: String.self)
        let place = try row.decode(3, as: String?.self)
            .map { AdmissionGate(automation: automation, kind: .place, key: $0) }
        let rate = try row.decode(4, as: String?.self)
            .map { AdmissionGate(automation: automation, kind: .rate, key: $0) }
        let pause = AdmissionGate(automation: automation, kind: .pause, key: "")
        hasEnded = stage == "freed" || stage == "left"
        gates =
            switch stage {
            case "pause", "left": [pause]
            case "place": place.map { [$0] } ?? []
            case "rate": rate.map { [$0] } ?? []
            // It may have waited for any of them, and others behind it.
            case "freed": [place, rate].compactMap { $0 }
            default: []
            }
    }
}
