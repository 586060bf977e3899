import Crypto
import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    @Test(.requiresCases) func everyGitHubWebhookIsOneRun() async throws {
        let name = Self.unique("github")
        try await installation.automate(name, on: "github.*")
        let secret = try await makeHook(name, kind: "github")
        let files = try Self.cases("webhooks/github", endingWith: ".payload.json")
        #expect(files.count >= 60)
        var signals: [(id: UUID, type: String)] = []
        for file in files {
            let body = Array(try Data(contentsOf: file))
            let event = try #require(file.lastPathComponent.range(of: "__")).lowerBound
            let headers = Self.gitHub(
                String(file.lastPathComponent[..<event]),
                delivery: "\(name)-\(file.lastPathComponent)",
                body,
                secret
            )
            let first = try await deliver(name, headers, body)
            let action = try JSONValue(parsing: body)["action"]?.stringValue
            let type = ["github", headers["X-GitHub-Event"], action].compactMap(\.self).joined(separator: ".")
            #expect(first.map(\.type) == [type])
            #expect(first.map(\.isDuplicate) == [false])
            signals += first.map { ($0.id, $0.type) }
            let again = try await deliver(name, headers, body, gateway: 1)
            #expect(again.map(\.isDuplicate) == [true])
            #expect(again.map(\.id) == first.map(\.id))
        }
        for signal in signals {
            let outcome = decision(name, in: try await processed(signal.id))?["outcome"]?.stringValue
            #expect(outcome == "run", "\(signal.type)")
        }
        #expect(signals.contains { $0.type == "github.ping" } && signals.contains { $0.type == "github.push" })
        #expect(try await runs(of: name) == files.count)
    }

    @Test(.requiresCases) func everyAlertOfAlertmanagerIsOneRun() async throws {
        let name = Self.unique("alerts")
        try await installation.automate(name, on: "alertmanager.*")
        let token = try await makeHook(name, kind: "alertmanager")
        let headers = ["Authorization": "Bearer \(token)"]
        let files = try Self.cases("webhooks/alertmanager", endingWith: ".json")
        #expect(files.count >= 4)
        var identities: Set<[String?]> = []
        var signals: [UUID: String] = [:]
        for file in files {
            let body = Array(try Data(contentsOf: file))
            let group = try JSONValue(parsing: body)
            let alerts = try #require(group["alerts"]?.arrayValue)
            let answers = try await deliver(name, headers, body)
            #expect(answers.map(\.type) == alerts.map { "alertmanager.\($0["status"]?.stringValue ?? "")" })
            for (alert, answer) in zip(alerts, answers) {
                let members = ["fingerprint", "status", "startsAt"].map { alert[$0]?.stringValue }
                let isNew = identities.insert([group["groupKey"]?.stringValue] + members).inserted
                #expect(answer.isDuplicate == !isNew)
                signals[answer.id] = answer.type
            }
            #expect(try await deliver(name, headers, body, gateway: 1).allSatisfy(\.isDuplicate))
        }
        #expect(signals.count == identities.count)
        for (signal, type) in signals {
            let outcome = decision(name, in: try await processed(signal))?["outcome"]?.stringValue
            #expect(outcome == "run", "\(type)")
        }
        #expect(try await runs(of: name) == identities.count)
        let events = try await installation.texts(
            "SELECT event FROM gateway.signals WHERE source = '/api/hooks/acme.\(name)'"
        )
        #expect(events.count == identities.count)
        for event in try events.map({ try JSONValue(parsing: Array($0.utf8)) }) {
            #expect(event["data"]?["labels"] != nil && event["data"]?["groupLabels"] != nil)
            #expect(event["time"] != nil && event["subject"] != nil)
        }
    }

    @Test func aForgedWebhookIsRefusedAndStoresNothing() async throws {
        let name = Self.unique("forged")
        let secret = try await makeHook(name, kind: "github")
        let body = Array(#"{"zen":"x"}"#.utf8)
        let right = Self.gitHub("ping", delivery: name, body, secret)
        let forged = Self.gitHub("ping", delivery: name, body, "\(secret)x")
        func stored() async throws -> Int {
            try await installation.count("SELECT count(*) FROM gateway.signal_keys")
        }
        let before = try await stored()
        for (source, headers, body) in [
            (name, forged, body), (name, [:], body), (name, right, Array(body.dropLast())), ("\(name)-2", right, body),
            (name, installation.authorization, body),
        ] {
            let answer = try await post(source, headers, body)
            #expect(answer.status == 401, "\(answer.text)")
            #expect(try JSONValue(parsing: answer.body)["code"]?.stringValue == "unauthenticated")
        }
        let text = right.merging(["Content-Type": "text/plain"]) { $1 }
        #expect(try await post(name, text, body).status == 415)
        let half = Array(#"{"zen":"#.utf8)
        #expect(try await post(name, Self.gitHub("ping", delivery: name, half, secret), half).status == 400)
        let large = Array("{\"zen\":\"\(String(repeating: "x", count: 300 << 10))\"}".utf8)
        #expect(try await post(name, Self.gitHub("ping", delivery: name, large, secret), large).status == 413)
        #expect(try await stored() == before)
        #expect(try await deliver(name, right, body).map(\.type) == ["github.ping"])
        let metrics = try await installation.replica(.gateway).metrics.get("/metrics").text
        #expect(metrics.contains(#"batuta_hook_refusals_total{kind="github",reason="wrong"}"#))
        #expect(metrics.contains(#"batuta_hook_refusals_total{kind="unknown",reason="unknown_source"}"#))
        #expect(!installation.all.map(\.logs).joined().contains(secret))
    }

    // MARK: - What the tests share

    struct Delivered {
        let id: UUID
        let type: String
        let isDuplicate: Bool
    }

    /// Makes a source and answers its secret.
    func makeHook(_ name: String, kind: String) async throws -> String {
        let answer = try await installation.client()
            .post("/admin/api/hooks", json: #"{"name":"\#(name)","kind":"\#(kind)"}"#)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(try JSONValue(parsing: answer.body)["secret"]?.stringValue)
    }

    private func post(
        _ name: String,
        _ headers: [String: String],
        _ body: [UInt8],
        gateway: Int = 0
    ) async throws -> HTTPTestClient.Response {
        try await installation.replica(.gateway, gateway).client(headers: [:]).send(
            "POST",
            "/api/hooks/\(Installation.tenant).\(name)",
            headers: ["Content-Type": "application/json"].merging(headers) { $1 },
            body: body
        )
    }

    /// Sends a webhook that has to be taken.
    func deliver(
        _ name: String,
        _ headers: [String: String],
        _ body: [UInt8],
        gateway: Int = 0
    ) async throws -> [Delivered] {
        let answer = try await post(name, headers, body, gateway: gateway)
        try #require(answer.status == 202, "\(answer.text)")
        let signals = try #require(try JSONValue(parsing: answer.body)["signals"]?.arrayValue)
        return try signals.map { signal in
            Delivered(
                id: try #require(signal["signal_id"]?.stringValue.flatMap { UUID(uuidString: $0) }),
                type: signal["type"]?.stringValue ?? "",
                isDuplicate: signal["duplicate"]?.boolValue ?? false
            )
        }
    }

    static func gitHub(
        _ event: String,
        delivery: String,
        _ body: [UInt8],
        _ secret: String
    ) -> [String: String] {
        let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8)))
        let hexadecimal = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return [
            "X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": "sha256=\(hexadecimal)",
        ]
    }

    private static func cases(_ folder: String, endingWith suffix: String) throws -> [URL] {
        let cases = try #require(TestCases.directory)
        return try FileManager.default
            .contentsOfDirectory(
                at: URL(fileURLWithPath: cases).appendingPathComponent(folder),
                includingPropertiesForKeys: nil
            )
            .filter { $0.lastPathComponent.hasSuffix(suffix) }
            .sorted { $0.path < $1.path }
    }
}
