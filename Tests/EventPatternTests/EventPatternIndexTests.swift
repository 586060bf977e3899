import EventPattern
import JSON
import TestSupport
import Testing

@Suite("Event pattern index")
struct EventPatternIndexTests {
    @Test("patterns come, are replaced and go")
    func life() throws {
        var index = EventPatternIndex<String>()
        #expect(index.isEmpty)
        #expect(index.matches(try json(#"{"a": 1}"#)).isEmpty)
        index.insert("x", try pattern(#"{"a": [1]}"#))
        index.insert("y", try pattern(#"{"a": [1], "b": [2]}"#))
        #expect(index.matches(try json(#"{"a": 1}"#)) == ["x"])
        #expect(index.matches(try json(#"{"a": 1, "b": 2}"#)) == ["x", "y"])
        index.insert("x", try pattern(#"{"a": [3]}"#))
        #expect(index.count == 2)
        #expect(index.matches(try json(#"{"a": 1, "b": 2}"#)) == ["y"])
        #expect(index.matches(try json(#"{"a": [3, 1], "b": 2}"#)) == ["y", "x"])
        #expect(index["x"]?.matches(try json(#"{"a": 3}"#)) == true)
        #expect(index.remove("z") == nil)
        #expect(index.remove("x") != nil)
        #expect(index["x"] == nil && index.remove("x") == nil)
        #expect(index.remove("y") != nil)
        #expect(index.isEmpty)
        #expect(index.matches(try json(#"{"a": 1, "b": 2}"#)).isEmpty)
        #expect(index.matches(try json("[1]")).isEmpty)
    }

    @Test("a copy keeps what it had")
    func copies() throws {
        var index = EventPatternIndex<Int>()
        for id in 0..<100 { index.insert(id, try pattern(#"{"a": [\#(id % 10)]}"#)) }
        let copy = index
        for id in 0..<50 { index.remove(id) }
        index.insert(200, try pattern(#"{"a": [3]}"#))
        let event = try json(#"{"a": 3}"#)
        #expect(copy.matches(event) == [3, 13, 23, 33, 43, 53, 63, 73, 83, 93])
        #expect(index.matches(event) == [53, 63, 73, 83, 93, 200])
        #expect(copy.count == 100 && index.count == 51)
    }

    @Test("many patterns under one way are told apart by the rest of what they want")
    func shelves() throws {
        let lists = (0..<22).flatMap { number in
            [
                #"[{"numeric": [">", \#(number)]}]"#,
                #"[{"numeric": [">=", \#(number - 20), "<", \#(number)]}]"#,
                #"[{"prefix": "\#(String(repeating: "p", count: number % 20))\#(number)"}]"#,
                #"[{"suffix": "\#(number)\#(String(repeating: "s", count: number % 7))"}]"#,
                #"[{"equals-ignore-case": "CASE\#(number)"}]"#,
                #"[{"wildcard": "\#(number)*w"}]"#,
                #"[{"wildcard": "*w\#(number)"}]"#,
                #"[{"cidr": "10.\#(number).0.0/\#(8 + number % 24)"}]"#,
                #"["10.0.0.\#(number)"]"#,
                #"[{"anything-but": \#(number)}]"#,
                #"[{"exists": false}, "\#(number)"]"#,
                "[\((number..<number + 40).map(String.init).joined(separator: ","))]",
            ]
        }
        let values = (0..<22).flatMap { number in
            [
                "\(number)", "\(number).5", "-\(number)", #"["1", \#(number)]"#, #""ppp\#(number)x""#,
                #""x\#(number)ss""#, #""case\#(number)""#, #""\#(number)w""#, #""w\#(number)""#,
                #""10.\#(number).0.1""#, #""10.0.0.\#(number)""#,
            ]
        }
        var index = EventPatternIndex<Int>()
        let patterns = try lists.map { try pattern(#"{"t": ["x"], "v": \#($0)}"#) }
        for (id, pattern) in patterns.enumerated() { index.insert(id, pattern) }
        for value in values + ["null", "{}"] {
            let event = try json(#"{"t": "x", "v": \#(value)}"#)
            #expect(index.matches(event) == patterns.indices.filter { patterns[$0].matches(event) }, "\(value)")
        }
        for id in patterns.indices where id % 2 == 0 { index.remove(id) }
        for value in values {
            let event = try json(#"{"t": "x", "v": \#(value)}"#)
            #expect(
                index.matches(event) == patterns.indices.filter { $0 % 2 == 1 && patterns[$0].matches(event) },
                "\(value)"
            )
        }
        #expect(index.matches(try json(#"{"t": "y", "v": 1}"#)).isEmpty)
    }

    @Test("an event with many values in arrays follows each way once")
    func wideArrays() throws {
        var index = EventPatternIndex<Int>()
        for id in 0..<50 {
            index.insert(id, try pattern(#"{"a": [1, 2], "b": [1, 2], "c": [1, 2], "d": [\#(id)]}"#))
        }
        let ones = Array(repeating: "1", count: 300).joined(separator: ",")
        let event = #"{"a": [\#(ones)], "b": [\#(ones)], "c": [\#(ones)], "d": [7, 8]}"#
        let start = ContinuousClock.now
        #expect(index.matches(try json(event)) == [7, 8])
        // Following every combination is 27 million ways.
        #expect(start.duration(to: .now) < .seconds(5))
    }

    /// Lists of one field, by the number of the pattern, and values that few of them want.
    private static let kinds: [(name: String, list: @Sendable (Int) -> String, value: String)] = [
        ("exact", { #"["n\#($0)"]"# }, #""n5""#),
        ("many exact", { number in "[\((0..<30).map { "\(number).\($0)" }.joined(separator: ","))]" }, "5.7"),
        ("prefix", { #"[{"prefix": "p\#($0)-"}]"# }, #""p5-x""#),
        ("suffix", { #"[{"suffix": "-\#($0)s"}]"# }, #""x-5s""#),
        ("any case", { #"[{"equals-ignore-case": "CASE\#($0)"}]"# }, #""case5""#),
        ("wildcard", { #"[{"wildcard": "w\#($0)-*x*z"}]"# }, #""w5-xyz""#),
        ("ranges above", { #"[{"numeric": [">=", \#($0), "<", \#($0 + 1)]}]"# }, "5.5"),
        ("ranges below", { #"[{"numeric": [">", \#(-$0 - 1), "<=", \#(-$0)]}]"# }, "-5.5"),
        ("ranges from a bottom", { #"[{"numeric": [">=", \#($0)]}]"# }, "2.5"),
        ("ranges to a top", { #"[{"numeric": ["<", \#(-$0)]}]"# }, "-2.5"),
        ("networks", { #"[{"cidr": "10.\#($0 / 250).\#($0 % 250).0/24"}]"# }, #""10.0.5.9""#),
        ("addresses", { #"["10.1.\#($0 / 250).\#($0 % 250)"]"# }, #""10.1.0.5""#),
    ]

    @Test("the time to match does not grow with the patterns", arguments: kinds.indices)
    func growth(_ position: Int) throws {
        let kind = Self.kinds[position]
        let event = try json(#"{"type": "t", "source": "s5", "data": {"a": \#(kind.value), "b": "x", "c": [1]}}"#)
        func time(_ count: Int) throws -> (duration: Duration, matches: [Int]) {
            var index = EventPatternIndex<Int>()
            for id in 0..<count {
                index.insert(id, try pattern(#"{"type": ["t"], "data": {"a": \#(kind.list(id))}}"#))
            }
            let durations = (0..<5).map { _ in
                ContinuousClock().measure { for _ in 0..<200 { _ = index.matches(event) } }
            }
            return (durations.min() ?? .zero, index.matches(event))
        }
        let (few, many) = (try time(40), try time(1600))
        #expect(!few.matches.isEmpty && few.matches == many.matches)
        // Forty times as many would take up to forty times as long.
        #expect(many.duration < few.duration * 6)
    }
}
