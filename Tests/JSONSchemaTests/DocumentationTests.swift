import Foundation
import JSON
import JSONSchema
import Testing

@Suite("The examples of docs/json-schema.md")
struct DocumentationTests {
    private let lines: [String]

    init() throws {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/json-schema.md"), encoding: .utf8)
        lines = page.components(separatedBy: "\n")
    }

    /// The blocks fenced as `json`, in order.
    private var blocks: [String] {
        lines.split { $0 == "```json" }.dropFirst().map { $0.prefix { $0 != "```" }.joined(separator: "\n") }
    }

    /// The cells of the rows below a header.
    private func rows(below header: String) -> [[String]] {
        lines.drop { $0 != header }.dropFirst(2).prefix { $0.hasPrefix("|") }.map { line in
            line.components(separatedBy: " | ").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "| ")) }
        }
    }

    private func code(_ cell: String) -> String { cell.trimmingCharacters(in: CharacterSet(charactersIn: "`")) }

    @Test("the order has the violations and the sample that the page says")
    func order() throws {
        try #require(blocks.count == 3)
        let schema = try JSONSchema(blocks[0])
        let violations = schema.violations(in: try json(blocks[1])).map { violation in
            [violation.pointer.text, violation.keyword, violation.code.rawValue, violation.message]
        }
        let rows = rows(below: "| pointer | keyword | code | message |").map { row in
            row.prefix(3).map(code) + row.dropFirst(3)
        }
        #expect(rows.count == 5)
        #expect(violations == rows)
        #expect(schema.sampleText == blocks[2])
    }

    @Test("the keywords allow and do not allow what the page says")
    func keywords() throws {
        let rows = rows(below: "| schema | valid | invalid |").map { $0.map(code) }
        #expect(rows.count >= 29)
        for row in rows {
            try #require(row.count == 3, "\(row)")
            try SchemaRow(row[0], valid: [row[1]], invalid: [row[2]]).check()
        }
    }
}
