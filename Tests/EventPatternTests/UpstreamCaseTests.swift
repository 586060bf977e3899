import EventPattern
import JSON
import Testing

@Suite("Event patterns decided by aws/event-ruler")
struct UpstreamCaseTests {
    @Test("every pattern matches the events that it matches there")
    func matches() throws {
        let rows = try CaseFile.rows("cases.jsonl")
        #expect(rows.count > 800)
        for row in rows {
            let id = row["id"]?.stringValue ?? "?"
            let source = try #require(row["pattern"], "\(id)")
            let event = try #require(row["event"], "\(id)")
            let expected = row["match"]?.boolValue == true
            let pattern = try EventPattern(compiling: source)
            let line = String(decoding: row.rawBytes, as: UTF8.self)
            #expect(pattern.matches(event) == expected, "\(line)")
            #expect((pattern.why(event) == nil) == expected, "\(line)")
            var index = EventPatternIndex<String>()
            index.insert(id, pattern)
            #expect(index.matches(event) == (expected ? [id] : []), "\(line)")
        }
    }

    @Test("the patterns of all cases in one index match like each alone")
    func together() throws {
        let rows = try CaseFile.rows("cases.jsonl")
        var index = EventPatternIndex<Int>()
        var patterns: [EventPattern] = []
        for row in rows {
            patterns.append(try EventPattern(compiling: try #require(row["pattern"])))
            index.insert(patterns.count - 1, patterns[patterns.count - 1])
        }
        for position in stride(from: 0, to: rows.count, by: 11) {
            let event = try #require(rows[position]["event"])
            let expected = patterns.indices.filter { patterns[$0].matches(event) }
            #expect(index.matches(event) == expected)
        }
    }

    @Test("a pattern is valid or not as it is there")
    func validity() throws {
        for row in try CaseFile.rows("validity.jsonl") {
            let expected = row["valid"]?.boolValue == true
            let line = String(decoding: row.rawBytes, as: UTF8.self)
            let source = try #require(row["pattern"])
            guard row["raw"]?.boolValue == true else {
                #expect(isValid(source) == expected, "\(line)")
                continue
            }
            let document = try? JSONDocument(parsing: try #require(source.stringValue))
            #expect((document.map { isValid($0.root) } ?? false) == expected, "\(line)")
        }
    }

    private func isValid(_ view: JSONView) -> Bool {
        do {
            _ = try EventPattern(compiling: view)
            return true
        } catch {
            return false
        }
    }
}
