import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// A suite whose tests share one system with real processes.
protocol SystemTests {
    var installation: Installation { get }
}

extension SystemTests {
    /// A word that no other test of this run uses.
    static func unique(_ word: String) -> String {
        "\(word)-\(UInt32.random(in: .min ... .max))"
    }

    /// Makes an automation with these steps, and activates it.
    func automate(_ key: String, on signalType: String, filter: String? = nil, steps: String...) async throws {
        let filter = filter.map { #","filter":\#($0)"# } ?? ""
        let created = try await installation.client().post(
            "/admin/api/automations",
            json: """
                {"automation_key":"\(key)","name":"\(key)","definition":{
                    "trigger":{"signalType":"\(signalType)"\(filter)},"steps":[\(steps.joined(separator: ","))]}}
                """
        )
        #expect(created.status == 201, "\(created.text)")
        try await installation.change(key, "activate")
    }

    /// Waits until a signal is processed, and reads what became of it.
    func processed(_ signalID: UUID) async throws -> JSONValue {
        try await eventually("\(signalID) is processed") {
            try await installation.read("/api/signals/\(signalID.uuidString.lowercased())")
        } until: {
            $0["status"]?.stringValue == "processed"
        }
    }

    /// The decision of a signal about one automation; nil when it was not considered.
    func decision(_ key: String, in signal: JSONValue) -> JSONValue? {
        signal["decisions"]?.arrayValue?.first { $0["automation_key"]?.stringValue == key }
    }

    /// The run that a signal has started, once it has this status.
    func run(of signal: UUID, _ status: String) async throws -> JSONValue {
        let path = "/api/runs?signal_id=\(signal.uuidString.lowercased())"
        let item = try await eventually("a run is \(status)", within: .seconds(60)) {
            try await installation.read(path)["items"]?[0]
        } until: {
            $0?["status"]?.stringValue == status
        }
        let id = try #require(item?["run_id"]?.stringValue)
        return try await installation.read("/api/runs/\(id)")
    }

    /// The sum of a counter over all replicas and labels.
    func counter(_ name: String, of service: SystemService) async throws -> Double {
        var sum = 0.0
        for replica in installation.replicas(of: service) {
            let text = try await replica.metrics.get("/metrics").text
            for line in text.split(separator: "\n") where line.hasPrefix(name) {
                sum += line.split(separator: " ").last.flatMap { Double($0) } ?? 0
            }
        }
        return sum
    }
}
