package import FoundationEssentials

/// A point in time as Postgres keeps it: whole microseconds.
package struct PostgresTimestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var microsecondsSinceEpoch: Int64

    package init(microsecondsSinceEpoch: Int64) {
        self.microsecondsSinceEpoch = microsecondsSinceEpoch
    }

    /// Rounds to the nearest microsecond; dates beyond the range of `timestamptz` become its ends.
    package init(_ date: Date) {
        let microseconds = (date.timeIntervalSince1970 * 1_000_000).rounded()
        if microseconds >= Double(Self.maximum) {
            microsecondsSinceEpoch = Self.maximum
        } else if microseconds > Double(Self.minimum) {
            microsecondsSinceEpoch = Int64(microseconds)
        } else {
            // Not-a-number lands here as well.
            microsecondsSinceEpoch = Self.minimum
        }
    }

    package var date: Date {
        Date(timeIntervalSince1970: Double(microsecondsSinceEpoch) / 1_000_000)
    }

    package static func < (lhs: PostgresTimestamp, rhs: PostgresTimestamp) -> Bool {
        lhs.microsecondsSinceEpoch < rhs.microsecondsSinceEpoch
    }

    /// The microseconds from 1970 to 2000, where Postgres starts to count.
    static let postgresEpoch: Int64 = 946_684_800_000_000
    /// `timestamptz` reaches 30 years further than a count from 1970 in 64 bits does.
    private static let maximum = Int64.max
    /// 4714-11-24 BC, the first instant of `timestamptz`.
    private static let minimum: Int64 = -210_866_803_200_000_000

    /// The count since 2000 that goes over the wire.
    var wireValue: Int64 {
        max(microsecondsSinceEpoch, Self.minimum) - Self.postgresEpoch
    }

    /// Reads a count since 2000; nil for the two infinities and what lies beyond them.
    init?(wireValue: Int64) {
        guard wireValue != .max, wireValue != .min else { return nil }
        let (sum, overflow) = wireValue.addingReportingOverflow(Self.postgresEpoch)
        guard !overflow else { return nil }
        microsecondsSinceEpoch = sum
    }
}
