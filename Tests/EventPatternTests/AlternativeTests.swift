import EventPattern
import JSON
import Testing

@Suite("Alternatives of event patterns")
struct AlternativeTests {
    @Test("$or joins with the fields beside it, wherever it stands")
    func joins() throws {
        let pattern = try pattern(
            #"{"s": [1], "d": {"$or": [{"a": [1]}, {"b": {"$or": [{"x": [1]}, {"y": [1], "z": [1]}]}}], "e": [1]}}"#
        )
        #expect(pattern.alternativeCount == 3)
        #expect(try pattern.matches(json(#"{"s": 1, "d": {"a": 1, "e": 1}}"#)))
        #expect(try pattern.matches(json(#"{"s": 1, "d": {"b": {"x": 1}, "e": 1}}"#)))
        #expect(try pattern.matches(json(#"{"s": 1, "d": {"b": {"y": 1, "z": 1}, "e": 1}}"#)))
        #expect(try !pattern.matches(json(#"{"s": 1, "d": {"b": {"y": 1}, "e": 1}}"#)))
        #expect(try !pattern.matches(json(#"{"s": 1, "d": {"a": 1}}"#)))
        #expect(try !pattern.matches(json(#"{"d": {"a": 1, "e": 1}}"#)))
        #expect(try !pattern.matches(json(#"{"s": 1, "$or": [{"a": 1}], "d": {"e": 1}}"#)))
    }

    @Test("several $or multiply")
    func product() throws {
        let or = #""$or": [{"a": [1]}, {"b": [1]}]"#
        #expect(try pattern(#"{\#(or)}"#).alternativeCount == 2)
        let three = #"{"$or": [{"c": [1]}, {"d": [1]}, {"e": [1]}]}"#
        #expect(try pattern(#"{\#(or), "x": {\#(or), "y": \#(three)}}"#).alternativeCount == 12)
    }

    @Test("a later condition on the same field replaces the earlier one")
    func replacement() throws {
        let inBranch = try pattern(#"{"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}"#)
        #expect(inBranch.overridden == [JSONPointer("/a")])
        #expect(try inBranch.matches(json(#"{"a": 2}"#)))
        #expect(try inBranch.matches(json(#"{"a": 1, "b": 3}"#)))
        #expect(try !inBranch.matches(json(#"{"a": 1}"#)))
        let behind = try pattern(#"{"$or": [{"a": [2]}, {"b": [3]}], "a": [1]}"#)
        #expect(behind.overridden == [JSONPointer("/$or/0/a")])
        #expect(try behind.matches(json(#"{"a": 1}"#)))
        #expect(try !behind.matches(json(#"{"a": 2}"#)))
        #expect(try pattern(#"{"a": {"b": [1]}, "a.b": [2]}"#).matches(json(#"{"a": {"b": 2}}"#)))
        #expect(try pattern(#"{"$or": [{"a": [2]}, {"a": [3]}]}"#).overridden.isEmpty)
    }

    @Test("documents under names match as one object")
    func roots() throws {
        let pattern = try pattern(#"{"signal": {"type": ["t"]}, "run": {"n": [{"numeric": [">", 1]}]}, "x": [true]}"#)
        let signal = EventRoot("signal", try json(#"{"type": "t", "data": [1]}"#))
        let run = EventRoot("run", try #require(json(#"{"outer": {"n": 2}}"#)["outer"]))
        let scalar = EventRoot("x", try json("true"))
        #expect(pattern.matches([signal, run, scalar]))
        #expect(pattern.why([signal, run, scalar]) == nil)
        #expect(!pattern.matches([signal, run]))
        #expect(!pattern.matches([]))
        #expect(pattern.why([signal, scalar])?.message == "run.n is absent, and the pattern wants a number above 1")
        var index = EventPatternIndex<Int>()
        index.insert(1, pattern)
        #expect(index.matches([scalar, run, signal]) == [1])
        #expect(try EventPatternTests.pattern(#"{"a.b": [1]}"#).matches([EventRoot("a.b", json("1"))]))
        #expect(try EventPatternTests.pattern(#"{"a": {"b": [1]}}"#).why([EventRoot("a.b", json("2"))])?.seen == "2")
    }
}
