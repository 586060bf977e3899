import Domain

/// Which signals of a tenant a list shows.
struct SignalFilter: Sendable, Equatable {
    /// Which types.
    enum TypeFilter: Sendable, Equatable {
        case exact(String)
        /// What the types begin with, the full stop included.
        case family(String)
    }

    var type: TypeFilter?
    var source: String?
    var accepted: TimeRange
    /// How far they have come.
    var status: SignalStatus?

    /// Whether an index has what is asked for in the order of the list; a family of types is gathered and sorted.
    var isServedInOrder: Bool {
        if case .family = type { false } else { true }
    }

    /// Reads `type`, `source`, `from`, `until` and `status`; a problem names the first that is not what it should be.
    init(_ query: Query) throws {
        if let text = query["type"] {
            guard (1...SignalReader.longestType).contains(text.utf8.count) else {
                throw GatewayProblem.invalidParameter("type")
            }
            type = text.hasSuffix(".*") && text.utf8.count > 2 ? .family(String(text.dropLast())) : .exact(text)
        }
        source = query["source"]
        if let source, !(1...SignalReader.longestName).contains(source.utf8.count) {
            throw GatewayProblem.invalidParameter("source")
        }
        accepted = try TimeRange(query)
        if let text = query["status"] {
            guard let known = SignalStatus(rawValue: text) else {
                throw GatewayProblem.invalidParameter("status")
            }
            status = known
        }
    }
}
