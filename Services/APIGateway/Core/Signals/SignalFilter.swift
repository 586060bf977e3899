import CloudEvents
import Domain
import FoundationEssentials

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
    /// The least id that is shown.
    var since: UUID?
    /// The least id that is not shown any more.
    var until: UUID?

    /// Reads `type`, `source`, `since` and `until`; a problem names the first that is not what it should be.
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
        since = try Self.least("since", query)
        until = try Self.least("until", query)
    }

    /// The least id that a signal accepted at a time can have.
    private static func least(_ name: String, _ query: Query) throws -> UUID? {
        guard let text = query[name] else {
            return nil
        }
        guard let milliseconds = CloudEvent.milliseconds(ofTime: text) else {
            throw GatewayProblem.invalidParameter(name)
        }
        // An id has 48 bits of time, and none before 1970.
        return UUIDv7.make(milliseconds: UInt64(clamping: milliseconds), high: 0, low: 0)
    }
}
