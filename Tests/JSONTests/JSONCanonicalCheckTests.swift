import JSON
import TestSupport
import Testing

@Suite("Whether JSON is canonical (RFC 8785)")
struct JSONCanonicalCheckTests {
    @Test(
        "what is written as the canonical form is",
        arguments: [
            "null", "0", "-1", "1e+21", "0.1", "123456789012345", "9007199254740992", "-0.5", #""""#,
            #""\u001f\n\"\\é/""#,
            "[]", "{}", "[[],{}]", #"{"a":{"b":[1,2,{"c":null}]},"b":true}"#, #"{"":1,"A":2,"a":3,"aa":4}"#,
            "{\"😀\":1,\"\u{FB33}\":2}", #"{"\n":1," ":2,"\"":3}"#,
        ]
    )
    func canonical(text: String) throws {
        let document = try JSONDocument(parsing: text)
        #expect(document.isCanonical)
        #expect(try document.root.canonicalBytes() == document.bytes)
    }

    @Test(
        "anything else is not",
        arguments: [
            " 0", "0 ", "\n0", "-0", "1.0", "1e1", "1E+21", "0.10", "9007199254740993", "1e309", "1234567890123456789",
            #""\/""#, #""\u0041""#, #""\u001F""#, #""\u000a""#, "[ ]", "{ }", "[1, 2]", "[1 ,2]", "[ 1]", "[1 ]",
            #"{"a" :1}"#, #"{"a": 1}"#, #"{ "a":1}"#, #"{"a":1 }"#, #"{"a":1, "b":2}"#, #"{"b":1,"a":2}"#,
            #"{"\u0061":1}"#, #"{"a":[{"c":1,"b":2}]}"#, "{\"\u{FB33}\":1,\"😀\":2}", #"{" ":1,"\n":2}"#,
        ]
    )
    func others(text: String) throws {
        #expect(try !JSONDocument(parsing: text).isCanonical)
    }

    @Test("is told of a part apart from what stands around it")
    func part() throws {
        let root = try JSONDocument(parsing: #"{ "b" : [1,2], "a" : [1, 2] }"#).root
        #expect(root["b"]?.isCanonical == true)
        #expect(root["a"]?.isCanonical == false)
        #expect(!root.isCanonical)
    }

    @Test("is told of random documents as writing them again tells it")
    func random() throws {
        var random = SeededGenerator.random()
        var counts = (canonical: 0, other: 0)
        for _ in 0..<1_500 {
            let value = RandomJSON.value(depth: 4, using: &random)
            var bytes = try value.canonicalBytes()
            if Bool.random(using: &random) {
                bytes = Array(RandomJSON.text(of: value, using: &random).utf8)
            } else if Bool.random(using: &random), let at = bytes.indices.randomElement(using: &random) {
                bytes[at] = UInt8.random(in: 0x20...0x7e, using: &random)
            }
            guard let document = try? JSONDocument(parsing: bytes) else { continue }
            let isCanonical = (try? document.root.canonicalBytes()) == bytes
            #expect(document.isCanonical == isCanonical, "\(String(decoding: bytes, as: UTF8.self))")
            if isCanonical { counts.canonical += 1 } else { counts.other += 1 }
        }
        #expect(counts.canonical > 100 && counts.other > 100, "\(counts)")
    }
}
