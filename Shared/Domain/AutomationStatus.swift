/// Where an automation stands, and which change leads where.
package enum AutomationStatus: String, CaseIterable, Sendable {
    case draft
    case active
    case deprecated
    case broken

    /// Why a change of status is refused.
    package enum Refusal: Error, Equatable, Sendable {
        /// Only a draft or a deprecated automation can be activated.
        case notActivatable(AutomationStatus)
        /// Only an active automation can be deactivated.
        case notActive(AutomationStatus)
        /// Only a draft can be deleted.
        case notDeletable(AutomationStatus)
    }

    /// An administrator has asked to activate it.
    package mutating func activated() throws(Refusal) {
        switch self {
        case .draft, .deprecated: self = .active
        case .active, .broken: throw .notActivatable(self)
        }
    }

    /// An administrator has asked to deactivate it.
    package mutating func deactivated() throws(Refusal) {
        switch self {
        case .active: self = .deprecated
        case .draft, .deprecated, .broken: throw .notActive(self)
        }
    }

    /// An administrator has edited it, and the new definition can be executed.
    package mutating func edited() {
        if self == .broken { self = .draft }
    }

    /// An administrator has asked to delete it.
    package func deleted() throws(Refusal) {
        guard self == .draft else { throw .notDeletable(self) }
    }
}
