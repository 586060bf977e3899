import CloudEvents
import Domain
import FoundationEssentials

/// From one time on and before another, as bounds of UUIDv7 keys, which begin with their time.
struct TimeRange: Sendable, Equatable {
    /// The least id that is shown.
    var from: UUID?
    /// The least id that is not shown any more.
    var until: UUID?

    /// Reads `from`, for which `since` does as well, and `until`; a problem names the first that is no time of RFC 3339.
    init(_ query: Query) throws {
        guard query["from"] == nil || query["since"] == nil else {
            throw GatewayProblem.invalidParameter("since")
        }
        from = try Self.least(query["from"] == nil ? "since" : "from", query)
        until = try Self.least("until", query)
    }

    /// The least id that can have been made at a time or later.
    private static func least(_ name: String, _ query: Query) throws -> UUID? {
        guard let text = query[name] else {
            return nil
        }
        guard let first = milliseconds(of: text) else {
            throw GatewayProblem.invalidParameter(name)
        }
        return UUIDv7.make(milliseconds: first, high: 0, low: 0)
    }

    /// The milliseconds of the least id that can have been made at a time of RFC 3339 or later; nil for another text.
    static func milliseconds(of text: String) -> UInt64? {
        // An id has 48 bits of time in whole milliseconds, and none before 1970.
        CloudEvent.milliseconds(ofTime: text).map {
            UInt64(clamping: $0 + (hasMoreThanMilliseconds(text) ? 1 : 0))
        }
    }

    /// Whether a time lies between two milliseconds.
    private static func hasMoreThanMilliseconds(_ time: String) -> Bool {
        time.utf8.drop { $0 != UInt8(ascii: ".") }.dropFirst().prefix { $0.isDigit }.dropFirst(3)
            .contains { $0 != UInt8(ascii: "0") }
    }
}
