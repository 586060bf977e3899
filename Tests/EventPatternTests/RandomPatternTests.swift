import EventPattern
import JSON
import TestSupport
import Testing

@Suite("Random event patterns")
struct RandomPatternTests {
    @Test("a pattern matches what the plain rules say, and why is silent exactly then")
    func reference() throws {
        var random = SeededGenerator.random()
        var counts = (matching: 0, other: 0)
        for _ in 0..<1500 {
            let text = RandomPattern.pattern(using: &random, depth: Int.random(in: 0...3, using: &random))
            let source = try json(text)
            let pattern = try EventPattern(compiling: source)
            let reference = ReferenceMatcher(source.value)
            for _ in 0..<4 {
                let event = try json(RandomPattern.event(using: &random))
                let expected = reference.matches(event.value)
                let line = "\(text) \(String(decoding: event.rawBytes, as: UTF8.self))"
                #expect(pattern.matches(event) == expected, "\(line)")
                let why = pattern.why(event)
                #expect((why == nil) == expected)
                if let why { #expect(source[why.pointer]?.kind == .array, "\(text) \(why)") }
                if expected { counts.matching += 1 } else { counts.other += 1 }
            }
        }
        #expect(counts.matching > 200 && counts.other > 200, "\(counts)")
    }

    @Test("an index matches what each of its patterns matches alone, while patterns come and go")
    func index() throws {
        var random = SeededGenerator.random()
        var index = EventPatternIndex<Int>()
        var patterns: [Int: EventPattern] = [:]
        var order: [Int] = []
        var matches = 0
        for step in 0..<1200 {
            let id = Int.random(in: 0..<250, using: &random)
            if Int.random(in: 0..<4, using: &random) == 0 || order.count > 200 {
                #expect((index.remove(id) != nil) == (patterns.removeValue(forKey: id) != nil))
                order.removeAll { $0 == id }
            } else {
                let depth = Int.random(in: 0...2, using: &random)
                let text = RandomPattern.pattern(using: &random, depth: depth)
                patterns[id] = try pattern(text)
                order.removeAll { $0 == id }
                order.append(id)
                index.insert(id, try pattern(text))
            }
            guard step % 3 == 0 else { continue }
            let event = try json(RandomPattern.event(using: &random))
            let expected = order.filter { patterns[$0]?.matches(event) == true }
            #expect(index.matches(event) == expected, "step \(step)")
            matches += expected.count
        }
        #expect(index.count == order.count)
        #expect(matches > 300, "\(matches)")
        for id in order { index.remove(id) }
        #expect(index.isEmpty)
        #expect(index.matches(try json(RandomPattern.event(using: &random))).isEmpty)
    }

    @Test("arbitrary JSON is compiled or refused, and never traps")
    func arbitrary() {
        var random = SeededGenerator.random()
        var counts = (accepted: 0, refused: 0)
        for _ in 0..<4000 {
            var bytes = Array(RandomPattern.pattern(using: &random, depth: 2).utf8)
            for _ in 0..<Int.random(in: 0...3, using: &random) { mutate(&bytes, using: &random) }
            guard let view = try? JSONDocument(parsing: bytes).root else { continue }
            do {
                let pattern = try EventPattern(compiling: view)
                counts.accepted += 1
                _ = pattern.matches(view)
                _ = pattern.why(view)?.message
            } catch {
                counts.refused += 1
                #expect(!error.faults.isEmpty && error.faults.count <= EventPatternError.maximumFaults)
                for fault in error.faults where fault.code != .notAnObject {
                    #expect(view[fault.pointer] != nil, "\(fault)")
                    #expect(fault.detail.last == ".", "\(fault)")
                }
            }
        }
        #expect(counts.accepted > 100 && counts.refused > 100, "\(counts)")
    }

    private func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        let pieces = [
            "[", "]", "{", "}", ",", ":", "\"", "1", "-", "*", "\\\\", "/", "$or", "[]", "{}", "null", "true",
        ]
        let at = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where at < bytes.count: bytes.remove(at: at)
        case 1 where at < bytes.count:
            bytes.replaceSubrange(at...at, with: Array((pieces.randomElement(using: &random) ?? "").utf8))
        default: bytes.insert(contentsOf: Array((pieces.randomElement(using: &random) ?? "").utf8), at: at)
        }
    }
}
