import Foundation
import JSON
import Testing

@Suite("Canonical JSON (RFC 8785)")
struct JSONCanonicalTests {
    @Test(
        "numbers are written as ECMAScript does",
        arguments: [
            ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("0e400", "0"), ("1", "1"), ("-1", "-1"), ("1.0", "1"),
            ("100", "100"), ("1e2", "100"), ("1E+2", "100"), ("0.1", "0.1"), ("-0.10", "-0.1"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"), ("123e19", "1.23e+21"), ("999999999999999999999", "1e+21"), ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"), ("0.00000123", "0.00000123"), ("0.000000123", "1.23e-7"), ("4.50", "4.5"),
            ("333333333.33333329", "333333333.3333333"), ("1E30", "1e+30"), ("2e-3", "0.002"), ("1e-27", "1e-27"),
            ("9007199254740991", "9007199254740991"), ("9007199254740992", "9007199254740992"),
            ("9007199254740993", "9007199254740992"), ("-9007199254740993", "-9007199254740992"),
            ("9007199254740995", "9007199254740996"), ("1e-400", "0"), ("-1e-400", "0"), ("5e-324", "5e-324"),
            ("2.4703282292062327e-324", "0"), ("2.4703282292062328e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("2.2250738585072014e-308", "2.2250738585072014e-308"),
            ("123456789012345678901234567890", "1.2345678901234568e+29"),
            ("12345678901234567890", "12345678901234567000"),
            ("0.1e1", "1"), ("10.0e-1", "1"), ("1.5e300", "1.5e+300"), ("123.456", "123.456"), ("5.0e-7", "5e-7"),
        ]
    )
    func numbers(text: String, expected: String) throws {
        try expect(text, expected)
        try expect("[\(text)]", "[\(expected)]")
    }

    @Test(
        "strings, names and their order",
        arguments: [
            (#"null"#, #"null"#), (#" [ true , false , null ] "#, #"[true,false,null]"#), (#"{ }"#, #"{}"#),
            (#"[ ]"#, #"[]"#), (#""\u0041\/""#, #""A/""#), (#""\b\t\n\f\r\"\\""#, #""\b\t\n\f\r\"\\""#),
            (#""\u0008\u0009\u000A\u000C\u000D\u0022\u005C""#, #""\b\t\n\f\r\"\\""#),
            (#""\u0000\u001F\u000b\u007F""#, "\"\\u0000\\u001f\\u000b\u{7F}\""), (#""\u00e9\u20ac""#, #""é€""#),
            (#""e\u0301é""#, "\"e\u{301}é\""), (#""\ud83d\ude00""#, #""😀""#),
            (#""\u2028<\/script>""#, "\"\u{2028}</script>\""),
            (#"{"b":1,"a":2}"#, #"{"a":2,"b":1}"#), (#"{"a":1,"":2,"A":3}"#, #"{"":2,"A":3,"a":1}"#),
            (#"{"aa":1,"a":2,"ab":3}"#, #"{"a":2,"aa":1,"ab":3}"#),
            (#"{"10":1,"9":2,"1":3}"#, #"{"1":3,"10":1,"9":2}"#),
            (#"{"\ufb33":1,"\ud83d\ude00":2}"#, "{\"😀\":2,\"\u{FB33}\":1}"),
            (#"{"\ue000":1,"\ud7ff":2,"\uD800\uDC00":3}"#, "{\"\u{D7FF}\":2,\"\u{10000}\":3,\"\u{E000}\":1}"),
            (#"{"\ud83d\ude01":1,"\ud83d\ude00":2}"#, #"{"😀":2,"😁":1}"#),
            (#"{"x\uffff":1,"x\udbff\udfff":2}"#, "{\"x\u{10FFFF}\":2,\"x\u{FFFF}\":1}"),
            (#"{"é":1,"e\u0301":2,"z":3}"#, "{\"e\u{301}\":2,\"z\":3,\"é\":1}"),
            (#"{"\u0062":{"d":1,"c":[{"f":1,"e":2}]},"\u0061":0}"#, #"{"a":0,"b":{"c":[{"e":2,"f":1}],"d":1}}"#),
            (#"{"\n":1,"\u0000":2," ":3,"\"":4}"#, #"{"\u0000":2,"\n":1," ":3,"\"":4}"#),
        ]
    )
    func texts(text: String, expected: String) throws {
        try expect(text, expected)
        try expect(expected, expected)
    }

    @Test("many members are sorted", arguments: [16, 17, 300])
    func manyMembers(count: Int) throws {
        let names = (0..<count).map { "n\($0)" }
        let text = { (names: [String]) in "{" + names.map { "\"\($0)\":\"\($0)\"" }.joined(separator: ",") + "}" }
        try expect(text(names.reversed()), text(names.sorted()))
    }

    @Test(
        "a number too large for a double has no canonical form",
        arguments: ["1e309", "-1e309", "1.8e308", "1e99999999999"]
    )
    func tooLarge(text: String) throws {
        let document = try JSONDocument(parsing: "{\"a\":[\(text)]}")
        let expected = JSONCanonicalError(number: text)
        #expect(throws: expected) { try document.root.canonicalBytes() }
        #expect(throws: expected) { try document.root.value.canonicalBytes() }
    }

    @Test("the canonical form of a part is that of its own document")
    func part() throws {
        let document = try JSONDocument(parsing: #"[0, { "b" : [ 1.0 ], "a" : "\u0041" }, 2]"#)
        let part = try #require(document.root[1])
        #expect(try String(decoding: part.canonicalBytes(), as: UTF8.self) == #"{"a":"A","b":[1]}"#)
    }

    /// Expects the canonical form of a text, read lazily and eagerly.
    private func expect(_ text: String, _ expected: String) throws {
        let root = try JSONDocument(parsing: text).root
        #expect(try Array(expected.utf8) == root.canonicalBytes(), "\(text)")
        #expect(try Array(expected.utf8) == root.value.canonicalBytes(), "\(text)")
    }
}

@Suite(
    "Canonical JSON: published cases",
    .enabled(if: JCSCases.folder != nil, "BATUTA_CASES is unset: the cases are not here.")
)
struct JSONCanonicalCasesTests {
    @Test("documents", arguments: ["arrays", "french", "structures", "unicode", "values", "weird"])
    func documents(name: String) throws {
        let input = try JSONDocument(parsing: JCSCases.bytes("testdata/input/\(name).json")).root
        let output = try JCSCases.bytes("testdata/output/\(name).json")
        let hex = try String(decoding: JCSCases.bytes("testdata/outhex/\(name).txt"), as: UTF8.self)
        #expect(try input.canonicalBytes() == output)
        #expect(try input.value.canonicalBytes() == output)
        #expect(output == hex.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) })
    }

    @Test("numbers of RFC 8785, appendix B")
    func numbers() throws {
        let rows = try JSONDocument(parsing: JCSCases.bytes("rfc8785_appendixB_numbers.json")).root
        var count = 0
        for row in rows.elements {
            let hex = try #require(row["ieee754_hex"]?.stringValue)
            let value = try Double(bitPattern: #require(UInt64(hex, radix: 16)))
            guard let expected = row["jcs"]?.stringValue, value.isFinite else { continue }
            let text = try JSONDocument(parsing: "\(value)").root
            #expect(try String(decoding: text.canonicalBytes(), as: UTF8.self) == expected, "\(hex)")
            let again = try JSONDocument(parsing: expected).root
            #expect(try String(decoding: again.canonicalBytes(), as: UTF8.self) == expected, "\(hex)")
            count += 1
        }
        #expect(count >= 20)
    }
}

/// The cases that are not part of this repository.
enum JCSCases {
    static let folder = ProcessInfo.processInfo.environment["BATUTA_CASES"].map { URL(fileURLWithPath: $0) }

    static func bytes(_ path: String) throws -> [UInt8] {
        try Array(Data(contentsOf: #require(folder).appending(path: "jcs/\(path)")))
    }
}
