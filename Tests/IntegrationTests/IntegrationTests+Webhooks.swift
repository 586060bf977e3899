import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    @Test(.requiresCases) func everyGitHubBodyIsOneRun() async throws {
        let files = try Self.files(in: "webhooks/github", endingWith: ".payload.json")
        #expect(files.count >= 60)
        let signals = try files.map { file in
            let event = try #require(
                file.lastPathComponent.range(of: "__").map { String(file.lastPathComponent[..<$0.lowerBound]) }
            )
            let body = try String(contentsOf: file, encoding: .utf8)
            let action = try JSONValue(parsing: Array(body.utf8))["action"]?.stringValue
            return (
                id: file.lastPathComponent, type: ["github", event, action].compactMap(\.self).joined(separator: "."),
                data: body
            )
        }
        try await areOneRunEach(signals, family: "github")
    }

    @Test(.requiresCases) func everyAlertmanagerBodyIsOneRun() async throws {
        let files = try Self.files(in: "webhooks/alertmanager", endingWith: ".json")
        #expect(files.count >= 4)
        let signals = try files.map { file in
            let body = try String(contentsOf: file, encoding: .utf8)
            let status = try #require(try JSONValue(parsing: Array(body.utf8))["status"]?.stringValue)
            return (id: file.lastPathComponent, type: "alertmanager.\(status)", data: body)
        }
        try await areOneRunEach(signals, family: "alertmanager")
    }

    @Test func everyExampleIsTaken() async throws {
        let examples = BuildFolder.repository.appendingPathComponent("compose/examples")
        let automations = try Self.files(at: examples.appendingPathComponent("automations"), endingWith: ".json")
        let client = try installation.client()
        // `compose/examples/run` sets it before it loads the automations.
        let secret = try await client.send(
            .PUT,
            "/admin/api/secrets/example-chat-token",
            headers: ["Content-Type": "application/json"],
            body: Array(#"{"value":"example"}"#.utf8)
        )
        #expect(secret.status == 200, "\(secret.text)")
        for file in automations {
            let body = try String(contentsOf: file, encoding: .utf8)
            let answer = try await client.post("/admin/api/automations", json: body)
            #expect(answer.status == 201, "\(file.lastPathComponent): \(answer.text)")
            try await installation.change(file.deletingPathExtension().lastPathComponent, "activate")
        }
        for file in try Self.files(at: examples.appendingPathComponent("signals"), endingWith: ".json") {
            let name = file.deletingPathExtension().lastPathComponent
            let type = name.range(of: "--").map { String(name[..<$0.lowerBound]) } ?? name
            let body = try String(contentsOf: file, encoding: .utf8)
            let receipt = try await installation.post(id: Self.unique(name), type: type, data: body)
            let signal = try await processed(receipt.signalID)
            let outcomes = signal["decisions"]?.arrayValue?.compactMap { $0["outcome"]?.stringValue } ?? []
            #expect(outcomes.contains("run"), "\(file.lastPathComponent): \(signal)")
        }
    }

    /// Posts signals twice; each is one run of the family's automation, whose copy of the event has the data unchanged.
    private func areOneRunEach(_ signals: [(id: String, type: String, data: String)], family: String) async throws {
        let key = Self.unique(family)
        try await installation.automate(key, on: "\(family).*")
        var receipts: [UUID] = []
        for signal in signals {
            let receipt = try await installation.post(id: signal.id, type: signal.type, data: signal.data)
            #expect(!receipt.isDuplicate, "\(signal.id)")
            receipts.append(receipt.signalID)
        }
        for (signal, signalID) in zip(signals, receipts) {
            let again = try await installation.post(id: signal.id, type: signal.type, data: signal.data, gateway: 1)
            #expect(again.isDuplicate, "\(signal.id)")
            #expect(again.signalID == signalID)
            let read = try await processed(signalID)
            #expect(decision(key, in: read)?["outcome"]?.stringValue == "run", "\(signal.type)")
        }
        #expect(try await runs(of: key) == signals.count)
        let events = try await installation.texts(
            "SELECT event FROM engine.signals e JOIN engine.automation_dedup d USING (signal_id) WHERE d.automation_key = '\(key)'"
        )
        let stored = Set(try events.map { try Self.canonical(try JSONValue(parsing: Array($0.utf8))["data"]) })
        let sent = Set(try signals.map { try Self.canonical(try JSONValue(parsing: Array($0.data.utf8))) })
        #expect(stored == sent)
    }

    private static func canonical(_ value: JSONValue?) throws -> [UInt8] { try (value ?? .null).canonicalBytes() }

    private static func files(in folder: String, endingWith suffix: String) throws -> [URL] {
        let cases = try #require(TestCases.directory)
        return try files(at: URL(fileURLWithPath: cases).appendingPathComponent(folder), endingWith: suffix)
    }

    private static func files(at folder: URL, endingWith suffix: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.lastPathComponent.hasSuffix(suffix) }
            .sorted { $0.path < $1.path }
    }
}
