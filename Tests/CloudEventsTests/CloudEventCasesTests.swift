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

    @Test("messages of every form are told apart, and read as the case says")
    func messages() throws {
        let rows = try CloudEventCases.rows(mode: "http")
        #expect(rows.count >= 16)
        for row in rows {
            let name = row["name"]?.stringValue ?? ""
            let message = try CloudEventMessage(row)
            if let expected = row["expect"]?["mode"]?.stringValue {
                #expect(message.mode == expected, "\(name)")
            }
            let events = message.events
            #expect((events != nil) == row["valid"]?.boolValue, "\(name)")
            if let count = row["expect"]?["count"]?.int64Value {
                #expect(events?.count == Int(count), "\(name)")
            }
            guard let expected = row["expect"]?["attributes"] else { continue }
            let event = try #require(events?.first, "\(name)")
            let written = try JSONDocument(parsing: event.structuredBytes()).root
            for member in expected.members {
                #expect(written[member.key]?.stringValue == member.value.stringValue, "\(name): \(member.key)")
            }
            let hasData = row["body_utf8"]?.stringValue?.isEmpty == false
            #expect(written.count == expected.count + (hasData ? 1 : 0), "\(name)")
            if let data = row["expect"]?["data_json"] {
                #expect(try written["data"]?.canonicalBytes() == data.canonicalBytes(), "\(name)")
            }
        }
    }

    @Test("events of the conformance files are the same in every form")
    func conformance() throws {
        let rows = try CloudEventCases.rows(mode: "any")
        #expect(!rows.isEmpty)
        for row in rows {
            let attributes = try #require(row["attributes"])
            let text = try #require(row["data_utf8"]?.stringValue)
            let fields = attributes.members.map { member in
                let value = member.value.stringValue ?? ""
                return member.key == "datacontenttype"
                    ? (name: "content-type", value: value) : (name: "ce-\(member.key)", value: value)
            }
            let event = try CloudEvent(binary: fields, body: Array(text.utf8))
            let written = try JSONDocument(parsing: event.structuredBytes()).root
            for member in attributes.members {
                #expect(written[member.key]?.stringValue == member.value.stringValue)
            }
            let data = try #require(written["data"])
            if attributes["datacontenttype"]?.stringValue?.hasPrefix("text/") == true {
                #expect(data.stringValue == text)
            } else {
                #expect(try data.canonicalBytes() == JSONDocument(parsing: text).root.canonicalBytes())
            }
            #expect(try CloudEvent(structured: JSONDocument(parsing: event.structuredBytes())) == event)
        }
    }
}

/// An HTTP message of a case.
private struct CloudEventMessage {
    let fields: [(name: String, value: String)]
    let body: [UInt8]

    init(_ row: JSONView) throws {
        fields = try #require(row["headers"]).members.map { ($0.key, $0.value.stringValue ?? "") }
        body = Array(try #require(row["body_utf8"]?.stringValue).utf8)
    }

    private var contentMode: ContentMode {
        ContentMode(contentType: fields.first { $0.name.lowercased() == "content-type" }?.value)
    }

    var mode: String {
        switch contentMode {
        case .structured: "structured"
        case .batched: "batched"
        case .other: fields.contains { CloudEvent.isBinaryField($0.name) } ? "binary" : "none"
        }
    }

    /// The events, or nil where the message is none.
    var events: [CloudEvent]? {
        switch contentMode {
        case .structured: (try? JSONDocument(parsing: body)).flatMap { try? [CloudEvent(structured: $0)] }
        case .batched: (try? JSONDocument(parsing: body)).flatMap { try? CloudEvent.batch($0) }
        case .other: try? [CloudEvent(binary: fields, body: body)]
        }
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
