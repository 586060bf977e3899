import Foundation
import JSON
import TestSupport
import Testing

extension IntegrationTests {
    @Test func anEventIsTheSameInEveryForm() async throws {
        let key = Self.unique("modes")
        let type = "modes.\(key)"
        try await installation.automate(key, on: type)
        let data = #"{"text": "señal", "n": 1.50}"#
        let client = try installation.client()
        let structured = try await client.send(
            "POST",
            "/api/signals",
            headers: SignalBody.structured,
            body: SignalBody.event(id: "\(key)-s", type: type, data: data)
        )
        let binary = try await client.send(
            "POST",
            "/api/signals",
            headers: [
                "ce-specversion": "1.0", "ce-id": "\(key)-b", "ce-source": "/tests", "CE-Type": type,
                "Content-Type": "application/json",
            ],
            body: Array(data.utf8)
        )
        let events = ["\(key)-1", "\(key)-2"].map { SignalBody.event(id: $0, type: type, data: data) }
        let batch = try await client.send(
            "POST",
            "/api/signals",
            headers: ["Content-Type": "application/cloudevents-batch+json"],
            body: Array("[".utf8) + events.joined(separator: Array(",".utf8)) + Array("]".utf8)
        )
        for answer in [structured, binary, batch] {
            #expect(answer.status == 202, "\(answer.text)")
        }
        let answers = try #require(try JSONValue(parsing: batch.body)["signals"]?.arrayValue)
        #expect(answers.compactMap { $0["id"]?.stringValue } == ["\(key)-1", "\(key)-2"])
        #expect(answers.allSatisfy { $0["duplicate"]?.boolValue == false && $0["type"]?.stringValue == type })

        var signals = [try SignalBody.signalID(structured), try SignalBody.signalID(binary)]
        signals += answers.compactMap { $0["signal_id"]?.stringValue.flatMap { UUID(uuidString: $0) } }
        #expect(signals.count == 4)
        for signal in signals {
            #expect(decision(key, in: try await processed(signal))?["outcome"]?.stringValue == "run")
        }
        let stored = try await installation.texts("SELECT event FROM gateway.signals WHERE type = '\(type)'")
        let members = try stored.map { event in
            var members: [JSONMember] = try JSONValue(parsing: Array(event.utf8)).objectValue ?? []
            members.removeAll { ["id", "batutasignalid", "traceparent"].contains($0.key) }
            return try JSONValue.object(members).canonicalBytes()
        }
        #expect(members.count == 4)
        #expect(Set(members).count == 1)
    }

    @Test func aBatchWithARepetitionStartsEachOnce() async throws {
        let key = Self.unique("repeated")
        try await installation.automate(key, on: "repeated.\(key)")
        let first = try await installation.post(id: key, type: "repeated.\(key)")
        let events = [key, "\(key)-2", "\(key)-2"].map {
            SignalBody.event(id: $0, type: "repeated.\(key)", data: "{}")
        }
        let answer = try await installation.client(1).send(
            "POST",
            "/api/signals",
            headers: ["Content-Type": "application/cloudevents-batch+json"],
            body: Array("[".utf8) + events.joined(separator: Array(",".utf8)) + Array("]".utf8)
        )
        let signals = try #require(try JSONValue(parsing: answer.body)["signals"]?.arrayValue)
        #expect(signals.compactMap { $0["duplicate"]?.boolValue } == [true, false, true])
        #expect(signals[0]["signal_id"]?.stringValue == first.signalID.uuidString.lowercased())
        #expect(signals[1]["signal_id"] == signals[2]["signal_id"])
        let second = try #require(signals[1]["signal_id"]?.stringValue.flatMap { UUID(uuidString: $0) })
        _ = try await processed(first.signalID)
        _ = try await processed(second)
        #expect(try await runs(of: key) == 2)
    }
}
