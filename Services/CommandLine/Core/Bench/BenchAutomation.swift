import Foundation
import JSON
import NIOHTTP1

/// The automation of one invocation: one signal type of its own, and three steps.
struct BenchAutomation: Sendable {
    /// Creating and activating it leave one audit entry each.
    static let auditEntries: Int64 = 2
    private static let pageLimit = 200

    let key: String
    let signalType: String
    let client: GatewayClient
    /// What the steps do.
    var steps = BenchSteps.pure

    /// The body that creates it.
    var definition: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation_key", key)
        writer.member("name", "Measurement \(key)")
        writer.key("definition")
        writer.beginObject()
        writer.key("trigger")
        writer.beginObject()
        writer.member("signalType", signalType)
        writer.endObject()
        writer.member("steps", raw: Array("[\(steps.definitions.joined(separator: ","))]".utf8))
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    /// Creates and activates it.
    func create() async throws(CommandLineError) {
        try await change("/admin/api/automations", body: definition)
        try await change("/admin/api/automations/\(key)/activate", body: nil)
    }

    /// Ends it, so that nothing of the measurement stays in force.
    func deactivate() async throws(CommandLineError) {
        try await change("/admin/api/automations/\(key)/deactivate", body: nil)
    }

    /// The signals that have a run with this status, page by page through the API.
    func signalsOfRuns(status: String) async throws(CommandLineError) -> Set<String> {
        var signals: Set<String> = []
        var cursor: String?
        repeat {
            var query = [
                URLQueryItem(name: "automation_key", value: key), URLQueryItem(name: "status", value: status),
                URLQueryItem(name: "limit", value: String(Self.pageLimit)),
            ]
            if let cursor { query.append(URLQueryItem(name: "cursor", value: cursor)) }
            let answer = try await client.ask(.GET, "/api/runs", query: query)
            guard answer.isSuccess, let page = try? JSONDocument(parsing: answer.body).root, let items = page["items"]
            else {
                throw CommandLineError(.answer, "the runs cannot be listed (\(answer.status)): \(answer.text)")
            }
            for run in items.elements {
                if let signal = run["signal_id"]?.stringValue { signals.insert(signal) }
            }
            cursor = page["next"]?.stringValue
        } while cursor != nil
        return signals
    }

    private func change(_ path: String, body: [UInt8]?) async throws(CommandLineError) {
        let answer = try await client.ask(.POST, path, body: body)
        guard answer.isSuccess else {
            throw CommandLineError(.answer, "POST \(path) was answered with \(answer.status): \(answer.text)")
        }
    }
}
