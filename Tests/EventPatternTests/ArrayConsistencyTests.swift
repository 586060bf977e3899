import EventPattern
import JSON
import Testing

@Suite("Consistency within arrays")
struct ArrayConsistencyTests {
    private static let rows: [(pattern: String, event: String, matches: Bool)] = [
        (#"{"d":{"a":[1],"b":[2]}}"#, #"{"d":[{"a":1},{"b":2}]}"#, false),
        (#"{"d":{"a":[1],"b":[2]}}"#, #"{"d":[{"a":1},{"a":1,"b":2}]}"#, true),
        (#"{"d":{"a":[1],"b":[2]}}"#, #"{"d":[[{"a":1}],[{"b":2}]]}"#, false),
        (#"{"d":{"a":[1],"b":[2]}}"#, #"{"d":[[{"a":1},{"b":2}]]}"#, false),
        (#"{"d":{"a":[1],"b":[2]}}"#, #"{"d":[[{"a":3},{"a":1,"b":2}]]}"#, true),
        (#"{"d":{"a":[1],"b":[2]}}"#, #"{"d":{"a":[3,1],"b":[2,4]}}"#, true),
        (#"{"d":{"a":[1]},"e":{"b":[2]}}"#, #"{"d":[{"a":0},{"a":1}],"e":[{"b":2},{"b":0}]}"#, true),
        (#"{"u":{"t":{"k":[1],"v":[2]},"n":[3]}}"#, #"{"u":[{"t":[{"k":1,"v":0},{"k":1,"v":2}],"n":3}]}"#, true),
        (#"{"u":{"t":{"k":[1],"v":[2]},"n":[3]}}"#, #"{"u":[{"t":[{"k":1,"v":2}]},{"n":3}]}"#, false),
        (#"{"u":{"t":{"k":[1],"v":[2]},"n":[3]}}"#, #"{"u":[{"t":[{"k":1},{"v":2}],"n":3}]}"#, false),
        (#"{"u":{"s":{"x":[1]},"t":{"x":[1]}}}"#, #"{"u":[{"s":[{"x":1}],"t":[{"x":0},{"x":1}]}]}"#, true),
        (#"{"u":{"s":{"x":[1]},"t":{"x":[1]}}}"#, #"{"u":[{"s":[{"x":1}]},{"t":[{"x":1}]}]}"#, false),
        // The values of an array of scalars are bound to the elements around the array alone.
        (#"{"u":{"s":["a"],"t":["b"]}}"#, #"{"u":[{"s":["x","a"],"t":["b"]}]}"#, true),
        (#"{"u":{"s":["a"],"t":["b"]}}"#, #"{"u":[{"s":["a"]},{"t":["b"]}]}"#, false),
        (#"{"p":[5],"p.a":[1]}"#, #"{"p":[{"a":1},5]}"#, true),
        (#"{"p":[5],"p.a":[1]}"#, #"{"p":[[5],{"a":1}]}"#, false),
        (#"{"p":[5],"p.a":[1]}"#, #"{"p":[[9],5,{"a":1}]}"#, true),
        (#"{"o-":{"a":[1]},"p":[5],"p-":[5],"p.a":[1]}"#, #"{"o-":[{"a":1}],"p":[[5,{"a":1}]],"p-":[5]}"#, true),
        (#"{"p":[7,5],"p.a":[1]}"#, #"{"p":[[7],5,[9,{"a":1}]]}"#, true),
        // Absence is judged among the elements chosen so far, in the order of the paths.
        (#"{"d":{"a":[1],"b":[{"exists":false}]}}"#, #"{"d":[{"a":1},{"b":2}]}"#, true),
        (#"{"d":{"a":[{"exists":false}],"b":[2]}}"#, #"{"d":[{"a":1},{"b":2}]}"#, false),
        (#"{"d":{"a":[1],"b":[{"exists":false}]}}"#, #"{"d":[{"a":1,"b":2},{"a":1}]}"#, true),
        (#"{"d":{"a":[1],"b":[{"exists":false}]}}"#, #"{"d":[{"a":1,"b":2},{"a":0}]}"#, false),
        (#"{"d":{"b":[{"exists":false}],"a":[1]}}"#, #"{"d":[{"a":1},{"b":2}]}"#, true),
        (#"{"d":{"a":{"c":[1]},"a-b":[{"exists":false}]}}"#, #"{"d":[{"a":{"c":1}},{"a-b":1}]}"#, false),
        (#"{"d":{"a":{"c":[1]},"a0b":[{"exists":false}]}}"#, #"{"d":[{"a":{"c":1}},{"a0b":1}]}"#, true),
        (#"{"d":{"a":[{"exists":false},1],"b":[2]}}"#, #"{"d":[{"a":1},{"b":2}]}"#, false),
        (#"{"d":{"a":[{"exists":false},1],"b":[2]}}"#, #"{"d":[{"a":1,"b":2},{"b":2}]}"#, true),
        (#"{"$or":[{"d":{"a":[1],"b":[2]}},{"d":{"c":[3]}}]}"#, #"{"d":[{"a":1},{"b":2},{"c":3}]}"#, true),
        (#"{"$or":[{"d":{"a":[1],"b":[2]}},{"d":{"c":[4]}}]}"#, #"{"d":[{"a":1},{"b":2},{"c":3}]}"#, false),
    ]

    @Test("all fields come from the same elements", arguments: rows.indices)
    func row(_ position: Int) throws {
        let row = Self.rows[position]
        let pattern = try pattern(row.pattern)
        let event = try json(row.event)
        #expect(pattern.matches(event) == row.matches, "\(row)")
        #expect(ReferenceMatcher(try json(row.pattern).value).matches(event.value) == row.matches, "\(row)")
        var index = EventPatternIndex<Int>()
        index.insert(7, pattern)
        #expect(index.matches(event) == (row.matches ? [7] : []), "\(row)")
    }

    @Test("the last of many elements is found at once")
    func manyElements() throws {
        let pattern = try pattern(#"{"d": {"a": [1], "b": [2], "c": {"x": [3], "y": [4]}}}"#)
        let inner = #"[{"x": 3}, {"y": 4}]"#
        let elements = (0..<5000).map { #"{"a": 1, "b": \#($0 == 4999 ? 2 : 0), "c": \#(inner)}"# }
        let start = ContinuousClock.now
        let event = try json(#"{"d": [\#(elements.joined(separator: ",")), {"a": 1, "b": 2, "c": {"x": 3, "y": 4}}]}"#)
        #expect(pattern.matches(event))
        let without = try json(#"{"d": [\#(elements.joined(separator: ","))]}"#)
        #expect(!pattern.matches(without))
        // Trying every pair of elements takes minutes.
        #expect(start.duration(to: .now) < .seconds(20))
    }

    @Test("choices that cannot help are not tried again")
    func independentChoices() throws {
        // The names sort so that ten other arrays are gone through between the two fields of one.
        let others = (0..<10).map { "p-\($0)" }
        let fields = others.map { #""\#($0)": {"x": [1]}"# } + [#""p": [1]"#, #""p.y": [2]"#]
        let pattern = try pattern("{\(fields.joined(separator: ","))}")
        func event(last: String) throws -> JSONView {
            let same = Array(repeating: #"{"x": 1}"#, count: 20).joined(separator: ",")
            let twenty = others.map { #""\#($0)": [\#(same)]"# }
            let choices = Array(repeating: #"[1, {"y": 0}]"#, count: 20).joined(separator: ",")
            return try json(#"{"p": [\#(choices), \#(last)], \#(twenty.joined(separator: ","))}"#)
        }
        #expect(pattern.matches(try event(last: #"[1, {"y": 2}]"#)))
        #expect(!pattern.matches(try event(last: #"[1], [{"y": 2}]"#)))
    }
}
