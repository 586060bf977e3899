/// Where the messages of a lane go; each destination is numbered on its own.
package enum Destination: String, CaseIterable, Sendable {
    case signals
    case commands
    case audit
}

/// One number for each destination of a lane.
package struct LaneNumbers: Equatable, Sendable {
    package var signals: Int64
    package var commands: Int64
    package var audit: Int64

    package static let zero = LaneNumbers(signals: 0, commands: 0, audit: 0)

    package init(signals: Int64, commands: Int64, audit: Int64) {
        self.signals = signals
        self.commands = commands
        self.audit = audit
    }

    package subscript(destination: Destination) -> Int64 {
        get {
            switch destination {
            case .signals: signals
            case .commands: commands
            case .audit: audit
            }
        }
        set {
            switch destination {
            case .signals: signals = newValue
            case .commands: commands = newValue
            case .audit: audit = newValue
            }
        }
    }
}
