import Contracts
import Domain
import FoundationEssentials

/// From one millisecond on and before another, by the time in the signals' ids.
struct ReplaySpan: Sendable, Equatable {
    /// Unix milliseconds of the first ids.
    let from: UInt64
    /// Unix milliseconds of the first ids after the span.
    let until: UInt64

    /// The greatest id before the span.
    var start: UUID { Self.last(before: from) }

    /// The greatest id of the span.
    var end: UUID { Self.last(before: until) }

    /// The part of the span before an instant: its greatest id.
    func end(before milliseconds: UInt64) -> UUID { Self.last(before: min(until, milliseconds)) }

    /// Before which instant everything has been considered, where that holds for every id up to a given one.
    func considered(through position: UUID) -> UInt64 {
        guard position < end else {
            return until
        }
        return max(from, UUIDv7.milliseconds(of: position) ?? from)
    }

    /// An instant of ids.
    static func time(_ milliseconds: UInt64) -> Timestamp {
        Timestamp(microseconds: Int64(clamping: milliseconds).multipliedReportingOverflow(by: 1_000).partialValue)
    }

    /// The greatest id that can have been made before an instant.
    private static func last(before milliseconds: UInt64) -> UUID {
        guard milliseconds > 0 else {
            return UUIDv7.make(milliseconds: 0, high: 0, low: 0)
        }
        return UUIDv7.make(milliseconds: milliseconds - 1, high: .max, low: .max)
    }
}
