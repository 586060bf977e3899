import FoundationEssentials

/// One thing that runs are admitted by: its row's lock puts the decisions about it into one order.
struct AdmissionGate: Hashable, Sendable, Comparable {
    /// What is decided there.
    enum Kind: String, CaseIterable, Sendable {
        case dedupe
        case pause
        case place
        case rate
    }

    let automation: UUID
    let kind: Kind
    /// The value of the key, as JSON; empty where there is none.
    let key: String

    /// By their bytes, as the database compares keys; texts that only look the same are not.
    static func == (left: AdmissionGate, right: AdmissionGate) -> Bool {
        left.automation == right.automation && left.kind == right.kind && left.key.utf8.elementsEqual(right.key.utf8)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(automation)
        hasher.combine(kind)
        for byte in key.utf8 { hasher.combine(byte) }
    }

    /// The order in which gates are locked, the same everywhere.
    static func < (left: AdmissionGate, right: AdmissionGate) -> Bool {
        guard left.automation == right.automation else {
            return left.automation < right.automation
        }
        guard left.kind == right.kind else {
            return left.kind.rawValue < right.kind.rawValue
        }
        return left.key.utf8.lexicographicallyPrecedes(right.key.utf8)
    }
}
