import Domain
import FoundationEssentials
import Testing

@testable import APIGatewayCore

@Suite("Times of a query become bounds of ids")
struct TimeRangeTests {
    /// The first id of a millisecond.
    private static func first(_ milliseconds: UInt64) -> UUID {
        UUIDv7.make(milliseconds: milliseconds, high: 0, low: 0)
    }

    @Test(
        "a time is the first id of its millisecond, or of the next one where it lies in between",
        arguments: [
            ("1970-01-01T00:00:01Z", 1_000), ("1970-01-01T01:00:01%2B01:00", 1_000), ("1970-01-01T00:00:01.5Z", 1_500),
            ("1970-01-01T00:00:01.500000Z", 1_500), ("1970-01-01T00:00:01.500001Z", 1_501),
            ("1970-01-01T00:00:01.9999Z", 2_000), ("1969-12-31T23:59:59Z", 0),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, UInt64)]
    )
    func bounds(text: String, milliseconds: UInt64) throws {
        for name in ["from", "since"] {
            let range = try TimeRange(try #require(Query("\(name)=\(text)")))
            #expect(range.from == Self.first(milliseconds))
            #expect(range.until == nil)
        }
        #expect(try TimeRange(try #require(Query("until=\(text)"))).until == Self.first(milliseconds))
    }

    @Test(
        "what is no time is refused by its name",
        arguments: [
            ("from=today", "from"), ("since=", "since"), ("from=2026-01-01&until=x", "from"), ("until=1", "until"),
        ]
    )
    func refusals(query: String, name: String) throws {
        let query = try #require(Query(query[...]))
        let problem = #expect(throws: GatewayProblem.self) { try TimeRange(query) }
        #expect(problem == .invalidParameter(name))
    }
}
