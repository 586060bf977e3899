import Contracts
import FoundationEssentials
import TestSupport
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_795_224_555_123_456, "2026-11-21T01:29:15.123456Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)]
    )
    func writesAndReadsTheSameInstant(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test func everyInstantComesBack() {
        var random = SeededGenerator.random()
        for _ in 0..<20_000 {
            let range = Timestamp.earliest.microseconds...Timestamp.latest.microseconds
            let instant = Timestamp(microseconds: Int64.random(in: range, using: &random))
            #expect(Timestamp(rfc3339: instant.description) == instant)
        }
    }

    @Test func agreesWithFoundationOnEveryDay() throws {
        let calendar = Calendar(identifier: .gregorian)
        var utc = calendar
        utc.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for day in stride(from: -3_000, through: 40_000, by: 7) {
            let instant = Timestamp(microseconds: Int64(day) * 86_400_000_000)
            let parts = utc.dateComponents([.year, .month, .day], from: instant.date)
            let digits = instant.description.prefix(10).split(separator: "-").compactMap { Int($0) }
            #expect(digits == [parts.year, parts.month, parts.day].compactMap(\.self))
        }
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T01:29:15Z", "2026-11-21T01:29:15.123Z", "2026-11-21T01:29:15.1234567Z",
        "2026-11-21t01:29:15.123456Z", "2026-11-21T01:29:15.123456z", "2026-11-21T01:29:15.123456+00:00",
        "2026-02-29T00:00:00.000000Z", "2100-02-29T00:00:00.000000Z", "2026-13-01T00:00:00.000000Z",
        "2026-00-01T00:00:00.000000Z", "2026-01-00T00:00:00.000000Z", "2026-04-31T00:00:00.000000Z",
        "2026-01-01T24:00:00.000000Z", "2026-01-01T00:60:00.000000Z", "2026-01-01T00:00:60.000000Z",
        "0000-01-01T00:00:00.000000Z", "+026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00,000000Z",
        "2026-01-01T00:00:00.00000\u{e9}Z",
    ])
    func refusesEverythingElse(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func anInstantBeyondTheYearsBecomesTheNearest() {
        #expect(Timestamp(microseconds: .max) == .latest)
        #expect(Timestamp(microseconds: .min) == .earliest)
        #expect(Timestamp(Date(timeIntervalSince1970: .infinity)) == .latest)
        #expect(Timestamp(Date(timeIntervalSince1970: .nan)).microseconds == 0)
        #expect(Timestamp(Date(timeIntervalSince1970: 0.000_001_4)).microseconds == 1)
    }
}
