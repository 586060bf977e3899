import EventPattern
import JSON
import Testing

@Suite("Faults of event patterns")
struct FaultTests {
    @Test("every fault is told with its place", arguments: FaultRow.all)
    func row(_ row: FaultRow) throws {
        #expect(try faults(row.pattern) == row.faults)
    }

    @Test("places are told from where the pattern stands")
    func origin() throws {
        let pointer = try #require(JSONPointer("/spec/filter"))
        #expect(try faults(#"{"a": [[1]]}"#, at: pointer) == ["nested_list /spec/filter/a/0"])
        #expect(try faults("7", at: pointer) == ["not_an_object /spec/filter"])
    }

    @Test("operators' names are fields outside of $or")
    func reservedNames() throws {
        let pattern = try pattern(#"{"prefix": ["x"], "a": {"numeric": [1]}}"#)
        #expect(pattern.matches(try json(#"{"prefix": "x", "a": {"numeric": 1}}"#)))
    }

    @Test("a message speaks of the first fault and counts the others, and repeats little of a long name")
    func messages() throws {
        let name = String(repeating: "é", count: 500)
        let error = try #require(throws: EventPatternError.self) { try pattern(#"{"a": [{"\#(name)": 1}], "b": 1}"#) }
        #expect(error.code == .unknownOperator)
        #expect(!error.code.isRetryable)
        #expect(error.message.hasSuffix("(the first of 2 faults)"))
        #expect(error.faults.allSatisfy { $0.detail.utf8.count < 300 })
        let range = try #require(throws: EventPatternError.self) {
            try pattern(#"{"a": [{"numeric": [">", 2, "<", 1]}]}"#)
        }
        #expect(range.message == "/a/0/numeric: The bottom of a numeric range must be less than its top.")
    }

    @Test("no more than 64 faults are listed")
    func many() throws {
        let fields = (0..<100).map { #""f\#($0)": 1"# }.joined(separator: ",")
        #expect(try faults("{\(fields)}").count == 64)
    }
}

@Suite("Bounds of event patterns")
struct BoundsTests {
    @Test("fields lie at most 8 names deep, dots counted")
    func depth() throws {
        #expect(try faults(#"{"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": [1]}}}}}}}}"#) == [])
        #expect(
            try faults(#"{"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": {"9": [1]}}}}}}}}}"#)
                == ["too_deep /1/2/3/4/5/6/7/8/9"]
        )
        #expect(try faults(#"{"1.2.3.4.5.6.7.8": [1]}"#) == [])
        #expect(try faults(#"{"1.2.3.4.5.6.7.8.9": [1]}"#) == ["too_deep /1.2.3.4.5.6.7.8.9"])
    }

    @Test("$or nests at most 8 levels deep")
    func orDepth() throws {
        func nested(_ levels: Int) -> String {
            levels == 0 ? #"{"a": [1]}"# : #"{"$or": [\#(nested(levels - 1)), {"b\#(levels)": [1]}]}"#
        }
        #expect(try pattern(nested(8)).alternativeCount == 9)
        #expect(try faults(nested(9)) == ["too_deep \(String(repeating: "/$or/0", count: 8))/$or"])
    }

    @Test("a pattern has at most 64 fields")
    func fields() throws {
        func fields(_ count: Int) -> String {
            "{" + (0..<count).map { #""f\#($0)": [1]"# }.joined(separator: ",") + "}"
        }
        let pattern = try pattern(fields(64))
        let values = (0..<64).map { #""f\#($0)": 1"# }
        #expect(pattern.matches(try json("{\(values.joined(separator: ","))}")))
        #expect(!pattern.matches(try json("{\(values.dropLast().joined(separator: ","))}")))
        #expect(!pattern.matches(try json("{\(values.dropFirst().joined(separator: ","))}")))
        #expect(try faults(fields(66)) == ["too_many_fields /f64"])
    }

    @Test("a pattern has at most 1,000 values")
    func values() throws {
        func list(_ count: Int) -> String { (0..<count).map(String.init).joined(separator: ",") }
        #expect(try faults(#"{"a": [\#(list(600))], "b": [\#(list(400))]}"#) == [])
        #expect(try faults(#"{"a": [\#(list(600))], "b": [\#(list(402))]}"#) == ["too_many_values /b/400"])
        #expect(try faults(#"{"a": [{"anything-but": [\#(list(999))]}]}"#) == [])
        let excluded = #"{"a": [{"anything-but": [\#(list(1001))]}]}"#
        #expect(try faults(excluded) == ["too_many_values /a/0/anything-but/999"])
    }

    @Test("a wildcard has at most 5 stars, and a long one takes no longer than the text")
    func wildcards() throws {
        #expect(try faults(#"{"a": [{"wildcard": "*a*b*c*d*"}]}"#) == [])
        let long = String(repeating: "a", count: 20_000)
        let pattern = try pattern(#"{"a": [{"wildcard": "*\#(long)b*\#(long)b*\#(long)b*"}]}"#)
        let text = String(repeating: "a", count: 200_000)
        let start = ContinuousClock.now
        #expect(!pattern.matches(try json(#"{"a": "\#(text)"}"#)))
        // Comparing at every place takes thousands of millions of steps.
        #expect(start.duration(to: .now) < .seconds(20))
    }

    @Test("all $or multiply to at most 1,000 alternatives")
    func alternatives() throws {
        func or(_ name: String, _ count: Int) -> String {
            let forks = (0..<count).map { #"{"\#(name)": {"f\#($0)": [1]}}"# }
            return #"{"$or": [\#(forks.joined(separator: ","))]}"#
        }
        func product(_ counts: [Int]) -> String {
            let fields = counts.enumerated().map { #""n\#($0.offset)": \#(or("x", $0.element))"# }
            return "{\(fields.joined(separator: ","))}"
        }
        let most = try pattern(product([10, 10, 10]))
        #expect(most.alternativeCount == 1000)
        let event = #"{"n0": {"x": {"f9": 1}}, "n1": {"x": {"f0": 1}}, "n2": {"x": {"f9": 1}}}"#
        #expect(most.matches(try json(event)))
        var index = EventPatternIndex<Int>()
        for id in 0..<20 { index.insert(id, most) }
        #expect(index.matches(try json(event)) == Array(0..<20))
        #expect(index.matches(try json(#"{"n0": {"x": {"f9": 1}}, "n1": {"x": {"f0": 1}}}"#)).isEmpty)
        #expect(try faults(product([10, 10, 11])) == ["too_many_alternatives /n2/$or"])
        #expect(try faults(product([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])) == ["too_many_alternatives /n9/$or"])
    }
}
