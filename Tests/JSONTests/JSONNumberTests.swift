import JSON
import Testing

@Suite("JSON numbers")
struct JSONNumberTests {
    @Test(
        "which numbers a double keeps",
        arguments: [
            ("0", true), ("-0", true), ("-0.0", true), ("0e99999999999999999999", true), ("1", true), ("0.1", true),
            ("1.50", true), ("100", true), ("1e2", true), ("9007199254740992", true), ("9007199254740993", false),
            ("9007199254740994", true), ("-9007199254740993", false), ("123456789012345678", false),
            ("123456789012345680", true), ("0.1000000000000000055511151231257827", false),
            ("0.30000000000000004", true),
            ("0.3000000000000000444", false), ("1e308", true), ("1e309", false), ("-1e309", false), ("1e-400", false),
            ("5e-324", true), ("4e-324", false), ("1e99999999999999999999", false), ("1e-99999999999999999999", false),
            ("1000000000000000000000000", true), ("1e24", true), ("18446744073709551615", false),
            ("0.000", true), ("12.5e-1", true), ("1.7976931348623157e308", true), ("1.7976931348623158e308", false),
        ]
    )
    func survivesDouble(text: String, expected: Bool) throws {
        #expect(try #require(JSONNumber(text)).survivesDouble == expected)
    }

    @Test(
        "what is no number",
        arguments: ["", "01", "1.", ".5", "+1", "1e", " 1", "1 ", "NaN", "\"1\"", "-", "0x1", "1\0"]
    )
    func invalid(text: String) { #expect(JSONNumber(text) == nil) }

    @Test(
        "which are whole numbers of 64 bits",
        arguments: [
            ("0", 0), ("-0", 0), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1.0", nil), ("1e2", nil), ("0.5", nil),
        ] as [(String, Int64?)]
    )
    func whole(text: String, expected: Int64?) throws {
        let view = try JSONDocument(parsing: text).root
        #expect(view.int64Value == expected)
        #expect(view.number?.int64Value == expected)
        #expect(view.value.int64Value == expected)
    }

    @Test("a number is its text: two spellings are two numbers")
    func equality() {
        #expect(JSONNumber("1.0") != JSONNumber("1"))
        #expect(JSONNumber("1") == JSONNumber(1))
        #expect(JSONNumber("1e2")?.doubleValue == 100)
        #expect(JSONNumber("1e400")?.doubleValue == nil)
    }
}
