import EventPattern
import JSON
import Testing

@Suite("Event pattern operators")
struct OperatorTests {
    @Test("a list wants these values and not those", arguments: OperatorRow.all)
    func values(_ row: OperatorRow) throws {
        let pattern = try pattern(#"{"a": \#(row.list)}"#)
        for value in row.wanted {
            #expect(pattern.matches(try json(#"{"z": 1, "a": \#(value)}"#)), "\(value)")
        }
        for value in row.unwanted {
            #expect(!pattern.matches(try json(#"{"a": \#(value), "z": 1}"#)), "\(value)")
        }
    }

    @Test("an absent field is wanted by exists false alone", arguments: OperatorRow.all)
    func absence(_ row: OperatorRow) throws {
        let pattern = try pattern(#"{"a": \#(row.list)}"#)
        let expected = row.list.contains(#"{"exists":false}"#)
        #expect(pattern.matches(try json("{}")) == expected)
        #expect(pattern.matches(try json(#"{"b": 1}"#)) == expected)
    }

    @Test("the same holds in an index full of the same operators", arguments: OperatorRow.all)
    func indexed(_ row: OperatorRow) throws {
        var index = EventPatternIndex<Int>()
        let pattern = try pattern(#"{"a": \#(row.list)}"#)
        // More than are simply listed, so that every kind of shelf is used.
        for id in 0..<12 { index.insert(id, pattern) }
        for value in row.wanted {
            #expect(try index.matches(json(#"{"a": \#(value)}"#)) == Array(0..<12), "\(value)")
        }
        for value in row.unwanted {
            #expect(try index.matches(json(#"{"a": \#(value)}"#)).isEmpty, "\(value)")
        }
        for id in 0..<12 { #expect(index.remove(id) != nil) }
        for value in row.wanted { #expect(try index.matches(json(#"{"a": \#(value)}"#)).isEmpty) }
    }

    @Test("only objects are events")
    func objects() throws {
        let pattern = try pattern(#"{"a": [{"exists": false}]}"#)
        #expect(pattern.matches(try json("{}")))
        for value in ["[]", "1", "null", #""a""#, "[{}]"] {
            #expect(!pattern.matches(try json(value)), "\(value)")
            #expect(pattern.why(try json(value))?.reason == .notAnObject)
        }
    }

    @Test("names are compared as bytes, and dots are levels")
    func names() throws {
        #expect(try pattern(#"{"\u0061": [1]}"#).matches(json(#"{"a": 1}"#)))
        #expect(try pattern(#"{"a": [1]}"#).matches(json(#"{"\u0061": 1}"#)))
        #expect(try !pattern(#"{"é": [1]}"#).matches(json(#"{"e\u0301": 1}"#)))
        #expect(try pattern(#"{"a.b": [1]}"#).matches(json(#"{"a": {"b": 1}}"#)))
        #expect(try pattern(#"{"a": {"b": [1]}}"#).matches(json(#"{"a.b": 1}"#)))
        #expect(try pattern(#"{"a": {"b.c": [1]}}"#).matches(json(#"{"a.b": {"c": 1}}"#)))
        #expect(try !pattern(#"{"a.b": [1]}"#).matches(json(#"{"a": 1, "b": 1}"#)))
        #expect(try pattern(#"{"": [1]}"#).matches(json(#"{"": 1}"#)))
        #expect(try pattern(#"{"a.": [1]}"#).matches(json(#"{"a": {"": 1}}"#)))
        #expect(try pattern(#"{"a": {"b": [1], "c": [2]}}"#).matches(json(#"{"a": {"b": 1}, "a.c": 2}"#)))
    }
}
