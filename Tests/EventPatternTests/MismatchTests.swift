import EventPattern
import JSON
import Testing

@Suite("Why an event does not match")
struct MismatchTests {
    private static let sentences: [(list: String, value: String, sentence: String)] = [
        (#"[{"numeric": [">", 10]}]"#, "5", "5, and the pattern wants a number above 10"),
        (#"[{"numeric": [">=", 1.5, "<", 2]}]"#, "2", "2, and the pattern wants a number of at least 1.5 and below 2"),
        (#"[{"numeric": ["<=", -1]}]"#, #""x""#, #""x", and the pattern wants a number of at most -1"#),
        (#"[{"numeric": ["=", 1e3]}]"#, "null", "null, and the pattern wants the number 1000"),
        (#"["a"]"#, "[]", #"an empty list, and the pattern wants "a""#),
        (#"["a", 2, true, null]"#, #"["x", 1]"#, #"["x", 1], and the pattern wants "a", 2, true or null"#),
        ("[1, 2, 3, 4, 5, 6]", "7", "7, and the pattern wants 1, 2, 3 or one of 3 others"),
        (#"[{"exists": true}]"#, "{}", "an object, and the pattern wants any value"),
        (#"[{"exists": false}]"#, "0", "0, and the pattern wants no value"),
        (#"[{"prefix": "a\"b"}]"#, "1", #"1, and the pattern wants a text that begins with "a\"b""#),
        (
            #"[{"suffix": {"equals-ignore-case": "X"}}]"#, "1",
            #"1, and the pattern wants a text that ends with "X" in any case"#
        ),
        (#"[{"wildcard": "a*"}]"#, "1", #"1, and the pattern wants a text like "a*""#),
        (#"[{"anything-but": ["a", "b"]}]"#, #""a""#, #""a", and the pattern wants anything but "a" or "b""#),
        (#"[{"cidr": "10.1.2.3/8"}]"#, #""x""#, #""x", and the pattern wants an address in 10.0.0.0/8"#),
        (#"["10.1.2.3"]"#, "1", "1, and the pattern wants the address 10.1.2.3"),
        (#"[{"cidr": "2001:db8::/32"}]"#, "1", "1, and the pattern wants an address in 2001:db8:0:0:0:0:0:0/32"),
    ]

    @Test("a sentence tells the value and the wish", arguments: sentences.indices)
    func sentence(_ position: Int) throws {
        let row = Self.sentences[position]
        let pattern = try pattern(#"{"data": {"amount": \#(row.list)}}"#)
        let mismatch = try #require(pattern.why(try json(#"{"data": {"amount": \#(row.value)}}"#)))
        #expect(mismatch.message == "data.amount is \(row.sentence)")
        #expect(mismatch.pointer == JSONPointer("/data/amount"))
        #expect(mismatch.path == "data.amount")
        #expect(mismatch.seen == row.value)
    }

    @Test("the first failing field in the author's order is named")
    func firstField() throws {
        let pattern = try EventPattern(
            compiling: json(#"{"z": [1], "m": {"b": [1], "a": [1]}, "c": [1]}"#),
            at: try #require(JSONPointer("/filter"))
        )
        #expect(pattern.why(try json(#"{"z": 1, "c": 2}"#))?.pointer == JSONPointer("/filter/m/b"))
        #expect(pattern.why(try json(#"{"z": 1, "m": {"b": 1}}"#))?.message == "m.a is absent, and the pattern wants 1")
        #expect(pattern.why(try json(#"{"z": 2}"#))?.reason == .differs)
        #expect(pattern.why(try json("{}"))?.reason == .absent)
        #expect(pattern.why(try json(#"{"z": 1, "m": {"a": 1, "b": 1}, "c": 1}"#)) == nil)
    }

    @Test("of alternatives the nearest is told of")
    func nearest() throws {
        let pattern = try pattern(#"{"t": [1], "$or": [{"a": [1], "b": [1]}, {"c": [1], "d": [1]}]}"#)
        let mismatch = try #require(pattern.why(try json(#"{"t": 1, "c": 1, "d": 2}"#)))
        #expect(mismatch.pointer == JSONPointer("/$or/1/d"))
        #expect(mismatch.message == "d is 2, and the pattern wants 1 (in the nearest of 2 alternatives)")
    }

    @Test("values that are not in the same element are told apart")
    func apart() throws {
        let pattern = try pattern(#"{"items": {"kind": ["pod"], "ns": ["prod"]}}"#)
        let mismatch = try #require(
            pattern.why(try json(#"{"items": [{"kind": "pod", "ns": "dev"}, {"kind": "svc", "ns": "prod"}]}"#))
        )
        #expect(mismatch.reason == .apart)
        #expect(mismatch.pointer == JSONPointer("/items/ns"))
        #expect(mismatch.seen == #""dev" and "prod""#)
        let start = "items.ns has no value in the element that meets items.kind with which the pattern is content"
        #expect(mismatch.message == #"\#(start); it wants "prod""#)
    }

    @Test("absence where every element has the field")
    func presentInElement() throws {
        let pattern = try pattern(#"{"d": {"a": [1], "b": [{"exists": false}]}}"#)
        let mismatch = try #require(pattern.why(try json(#"{"d": [{"a": 1, "b": 2}, {"a": 0}]}"#)))
        #expect(mismatch.reason == .apart)
        #expect(mismatch.pointer == JSONPointer("/d/b"))
    }

    @Test("what is seen is bounded, and no character is cut")
    func bounded() throws {
        let pattern = try pattern(#"{"a": ["x"], "\#(String(repeating: "n", count: 300))": ["y"]}"#)
        let long = String(repeating: "é", count: 300)
        let mismatch = try #require(pattern.why(try json(#"{"a": "\#(long)"}"#)))
        let seen = try #require(mismatch.seen)
        #expect(seen.utf8.count < 90 && seen.hasSuffix("é…"))
        #expect(mismatch.message.utf8.count < 200)
        let elements = (0..<1000).map { #"{"a": \#($0)}"# }.joined(separator: ",")
        let items = try EventPatternTests.pattern(#"{"d": {"a": [-1]}}"#)
        let many = try #require(items.why(try json(#"{"d": [\#(elements)]}"#)))
        #expect(many.message == "d.a is 0, 1, 2 and 3, and the pattern wants -1")
        let name = try #require(pattern.why(try json(#"{"a": "x"}"#)))
        #expect(name.message.utf8.count < 200)
    }
}
