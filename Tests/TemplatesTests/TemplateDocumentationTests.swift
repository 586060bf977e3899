import Foundation
import JSON
import Templates
import Testing

@Suite("The examples of docs/templates.md")
struct TemplateDocumentationTests {
    private let page: String
    private let table: DocumentTable
    private let sample: Sample

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        page = try String(contentsOf: root.appendingPathComponent("docs/templates.md"), encoding: .utf8)
        table = DocumentTable(page)
        sample = try Sample(table.json)
    }

    private func examples(_ column: String) throws -> [(template: String, expected: String, row: DocumentTable.Row)] {
        try table.rows.compactMap { row in
            guard let template = row["template"], let expected = row[column] else { return nil }
            return (try #require(template.code, "\(row)"), expected, row)
        }
    }

    @Test("templates come to what the page says, and are recorded as it says")
    func results() throws {
        let examples = try examples("result")
        #expect(examples.count >= 55)
        for (template, expected, row) in examples {
            let resolved = try sample.resolveInput(template)
            #expect(String(decoding: resolved.value, as: UTF8.self) == expected.code, "\(template)")
            if let recorded = row["recorded"] {
                #expect(resolved.description == recorded.code, "\(template)")
            }
            #expect(try sample.faults(of: template).isEmpty, "\(template)")
        }
    }

    @Test("templates fail when the step starts as the page says")
    func errors() throws {
        let examples = try examples("error")
        #expect(examples.count >= 10)
        for (template, expected, _) in examples {
            let error = try sample.error(of: template)
            #expect("`\(error.code)`: \(error.message)" == expected, "\(template)")
        }
    }

    @Test("templates are refused when the automation is saved as the page says")
    func faults() throws {
        let examples = try examples("fault")
        #expect(examples.count >= 20)
        for (template, expected, _) in examples {
            let faults = try sample.faults(of: template)
            let fault = try #require(faults.first, "\(template)")
            #expect(faults.count == 1 && fault.pointer == .root, "\(template)")
            #expect("`\(fault.code)` at \(fault.column ?? 0): \(fault.message)" == expected, "\(template)")
        }
    }

    @Test("the page has an example of every function")
    func functions() throws {
        let documented = table.rows.compactMap { $0["function"]?.code?.prefix { $0 != "(" } }.map(String.init)
        let fault = try #require(try sample.faults(of: #""{{ 1 | none }}""#).first)
        let names = try #require(fault.message.split(separator: "there are ").last).dropLast()
        #expect(names.components(separatedBy: ", ") == documented)
    }

    @Test("the page names every limit as it is")
    func limits() {
        let limits = TemplateLimits.standard
        let rows = table.rows.compactMap { row in row["limit"].map { (row["what"] ?? "", $0) } }
        let stated = Dictionary(rows) { first, _ in first }
        #expect(stated["expressions of one input"] == "\(limits.maximumExpressions)")
        #expect(stated["levels of the input, and of what comes out"] == "\(limits.maximumDepth)")
        #expect(stated["bytes of one expression"]?.filter { $0 != "," } == "\(limits.maximumExpressionBytes)")
        #expect(stated["names and indexes of one path"] == "\(limits.maximumPathLength)")
        #expect(stated["functions of one expression"] == "\(limits.maximumFunctions)")
        #expect(stated["what comes out, and every value on the way"] == "\(limits.maximumBytes >> 10) KiB")
        #expect(stated.count == 7)
    }
}
