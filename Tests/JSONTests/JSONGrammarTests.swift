import JSON
import Testing

@Suite("JSON's grammar")
struct JSONGrammarTests {
    @Test("what is a document", arguments: GrammarRows.accepted)
    func accepted(text: String) throws {
        let document = try JSONDocument(parsing: text)
        #expect(document.bytes == Array(text.utf8))
    }

    @Test("what is none, and why")
    func refused() {
        for (code, texts) in GrammarRows.refused {
            for text in texts {
                #expect(fault(Array(text.utf8))?.code.rawValue == code, "\(text.debugDescription)")
            }
        }
    }

    @Test(
        "only well-formed UTF-8 is read",
        arguments: [
            ([0xC2, 0x80], nil), ([0xDF, 0xBF], nil), ([0xE0, 0xA0, 0x80], nil), ([0xED, 0x9F, 0xBF], nil),
            ([0xEE, 0x80, 0x80], nil), ([0xEF, 0xBF, 0xBF], nil), ([0xEF, 0xB7, 0x90], nil),
            ([0xF0, 0x90, 0x80, 0x80], nil),
            ([0xF4, 0x8F, 0xBF, 0xBF], nil), ([0x80], 3), ([0xBF], 3), ([0xC0, 0x80], 3), ([0xC1, 0xBF], 3),
            ([0xC2], 4), ([0xC2, 0x41], 4), ([0xC2, 0xC2], 4), ([0xE0, 0x9F, 0xBF], 4), ([0xE1, 0x80], 5),
            ([0xE1, 0x80, 0x41], 5), ([0xED, 0xA0, 0x80], 4), ([0xED, 0xBF, 0xBF], 4), ([0xF0, 0x8F, 0xBF, 0xBF], 4),
            ([0xF0, 0x90, 0x80], 6), ([0xF1, 0x80, 0x41, 0x80], 5), ([0xF4, 0x90, 0x80, 0x80], 4),
            ([0xF5, 0x80, 0x80, 0x80], 3), ([0xF8, 0x88, 0x80, 0x80, 0x80], 3), ([0xFE], 3), ([0xFF], 3),
        ] as [([UInt8], Int?)]
    )
    func encoding(bytes: [UInt8], offset: Int?) {
        let text = Array("[\"a".utf8) + bytes + Array("\"]".utf8)
        let found = fault(text)
        #expect(found?.offset == offset)
        #expect(found == nil || found?.code == .invalidUTF8)
        #expect((String(validating: text, as: UTF8.self) == nil) == (offset != nil))
        #expect(fault(bytes)?.code == .unexpectedByte, "no such bytes stand outside strings")
    }

    @Test("depth is bounded, without recursion")
    func depth() throws {
        let nested = { (depth: Int) in
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONDocument(parsing: nested(64))
        #expect(fault(nested(65))?.code == .tooDeep)
        #expect(fault(nested(65))?.offset == 64)
        #expect(fault([UInt8](repeating: UInt8(ascii: "["), count: 100_000))?.code == .tooDeep)
        let objects = Array(String(repeating: "{\"a\":", count: 100_000).utf8)
        #expect(fault(objects)?.code == .tooDeep)
        let limits = JSONLimits(maximumDepth: 0)
        #expect(throws: Never.self) { try JSONDocument(parsing: "1", limits: limits) }
        #expect(throws: JSONParsingError.self) { try JSONDocument(parsing: "[]", limits: limits) }
        #expect(JSONLimits(maximumBytes: .max, maximumDepth: .max).maximumDepth == JSONLimits.deepest)
        #expect(JSONLimits(maximumBytes: .min, maximumDepth: -1, maximumValues: -1).maximumBytes == 0)
    }

    @Test("bytes and values are bounded")
    func size() throws {
        let bytes = Array("[1,2,{\"a\":3}]".utf8)
        _ = try JSONDocument(parsing: bytes, limits: JSONLimits(maximumBytes: 13, maximumValues: 6))
        #expect(fault(bytes, JSONLimits(maximumBytes: 12))?.code == .tooLarge)
        #expect(fault(bytes, JSONLimits(maximumValues: 5))?.code == .tooManyValues)
    }

    @Test("every prefix of a document is refused as one that ends too early")
    func prefixes() throws {
        let text = #"{"a\n\u00e9\ud83d\ude00é😀":[1.5e+10,-0,true,false,null,{"b":"","c":{}}],"d":[[]]}"#
        let bytes = Array(text.utf8)
        _ = try JSONDocument(parsing: bytes)
        for count in 0..<bytes.count {
            let found = fault(Array(bytes[..<count]))
            #expect(found?.code == .truncated, "\(count)")
            #expect(found?.offset == count, "\(count)")
        }
    }

    @Test("a fault's place is a byte, a line and a column")
    func place() {
        let found = fault(Array("{\r\n \"é\": 1,\n\t\"b\" 2}".utf8))
        #expect(found?.offset == 18)
        #expect(found?.line == 3)
        #expect(found?.column == 6)
        #expect(found?.message == "\"2\" stands where \":\" must at line 3, column 6 (byte 18)")
    }

    @Test("a name that stands twice is found wherever it is", arguments: [2, 3, 15, 16, 17, 40, 500])
    func duplicates(count: Int) throws {
        for length in [1, 7, 8, 9, 16, 30] {
            var names = (0..<count).map { String(repeating: "n", count: length) + "\($0)" }
            #expect(fault(object(names)) == nil)
            #expect(fault(object([""] + names)) == nil)
            names[count - 1] = names[0]
            #expect(fault(object(names))?.code == .duplicateKey)
            let escaped = "\\u006e" + names[0].dropFirst()
            names[count - 1] = escaped
            let found = fault(object(names))
            #expect(found?.code == .duplicateKey)
            #expect(
                found.map { Array(object(names)[$0.offset...].prefix(7)) } == Array(("\"" + escaped.prefix(6)).utf8)
            )
        }
    }

    private func object(_ names: [String]) -> [UInt8] {
        Array(("{" + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}").utf8)
    }

    private func fault(_ bytes: [UInt8], _ limits: JSONLimits = .standard) -> JSONParsingError? {
        do throws(JSONParsingError) {
            _ = try JSONDocument(parsing: bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }
}
