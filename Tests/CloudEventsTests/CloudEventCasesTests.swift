import CloudEvents
import Foundation
import JSON
import Testing

@Suite(
    "The specification's cases",
    .enabled(if: CloudEventCases.folder != nil, "BATUTA_CASES is unset: the cases are not here.")
)
struct CloudEventCasesTests {
    @Test("structured events are valid or not as the case says")
    func structured() throws {
        let rows = try CloudEventCases.rows(mode: "structured-json")
        #expect(rows.count > 40)
        for row in rows {
            let event = try #require(row["event"])
            let isValid = (try? CloudEvent(structured: event)) != nil
            #expect(isValid == row["valid"]?.boolValue, "\(row["name"]?.stringValue ?? "")")
        }
    }

    @Test("structured and batched messages are told apart, and read as the case says")
    func messages() throws {
        var count = 0
        for row in try CloudEventCases.rows(mode: "http") {
            let name = row["name"]?.stringValue ?? ""
            let mode = ContentMode(contentType: row["headers"]?["Content-Type"]?.stringValue)
            if let expected = row["expect"]?["mode"]?.stringValue {
                #expect(mode == (["structured": .structured, "batched": .batched][expected] ?? .other), "\(name)")
            }
            let body = try #require(row["body_utf8"]?.stringValue)
            guard mode != .other else { continue }
            count += 1
            #expect(read(body, mode) == row["valid"]?.boolValue, "\(name)")
            guard mode == .structured, let expected = row["expect"]?["attributes"] else { continue }
            let event = try CloudEvent(structured: JSONDocument(parsing: body))
            let written = try JSONDocument(parsing: event.structuredBytes()).root
            for member in expected.members {
                #expect(written[member.key]?.stringValue == member.value.stringValue, "\(name): \(member.key)")
            }
            #expect(written.count == expected.count + 1)
            let data = try #require(written["data"]).canonicalBytes()
            #expect(try data == row["expect"]?["data_json"]?.canonicalBytes())
        }
        #expect(count >= 6)
    }

    /// Whether a body is valid: one event, or an array of which every element is one.
    private func read(_ body: String, _ mode: ContentMode) -> Bool {
        guard let root = try? JSONDocument(parsing: body).root else { return false }
        guard mode == .batched else { return (try? CloudEvent(structured: root)) != nil }
        return root.kind == .array && root.elements.allSatisfy { (try? CloudEvent(structured: $0)) != nil }
    }
}

/// The cases that are not part of this repository.
enum CloudEventCases {
    static let folder = ProcessInfo.processInfo.environment["BATUTA_CASES"].map { URL(fileURLWithPath: $0) }

    static func rows(mode: String) throws -> [JSONView] {
        let file = try #require(folder).appending(path: "cloudevents/cases.jsonl")
        return try String(decoding: Data(contentsOf: file), as: UTF8.self).split(separator: "\n")
            .map { try JSONDocument(parsing: String($0)).root }.filter { $0["mode"]?.stringValue == mode }
    }
}
