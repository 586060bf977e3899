import Contracts
import Foundation
import JSON
import NIOHTTP1
import Persistence
import TestSupport
import Testing

/// The rows of dead letters and replays, and of signals, which leave none.
extension AuditedOperationsTests {
    // MARK: - Dead letters

    func redriveDeadLetters(_ person: Person) async throws {
        let type = Self.unique("poison")
        try await refusing("engine.inbox", "signal_type <> '\(type)'") {
            let receipt = try await installation.post(id: type, type: type)
            let signal = receipt.signalID.uuidString.lowercased()
            let path = try await letter(of: "engine") { $0["item_id"]?.stringValue == signal }
            expectNothing(try await redrive(path, person), 422)
            return path
        } _: {
            try await isRedriven($0, person)
        }
        // The engine's entries wait in the log until the one before them is there, but those of the audit-writer do not.
        let key = Self.unique("poison")
        try await refusing("audit.entries", "position('Of \(key)' in convert_from(canonical, 'UTF8')) = 0") {
            try await prepare(.POST, Self.automations, Self.automation(key))
            let path = try await letter(of: "audit") { letter in
                let path = Self.path(letter, of: "audit")
                return try await installation.read(path)["body"]?.stringValue?.contains("Of \(key)") == true
            }
            expectNothing(try await redrive(path, person), 422)
            return path
        } _: {
            try await isRedriven($0, person)
        }
    }

    private func redrive(_ path: String, _ person: Person) async throws -> Asked {
        try await ask(.POST, "\(path)/redrive", "", by: person, seeing: resource(path))
    }

    private func isRedriven(_ path: String, _ person: Person) async throws {
        let redriven = try await redrive(path, person)
        #expect(redriven.before?["state"] == "waiting" && redriven.after?["state"] == "redriven")
        try await expect(redriven, leaves: Self.entry("redrive", redriven), by: person)
        expectNothing(try await redrive(path, person), 200)
        let reason = #"{"reason":"too late"}"#
        expectNothing(try await ask(.POST, "\(path)/discard", reason, by: person, seeing: resource(path)), 409)
    }

    func discardDeadLetters(_ person: Person) async throws {
        for (service, queue) in [("engine", "engine.signals"), ("audit", "audit.writer")] {
            let message = UUID().uuidString.lowercased()
            try await installation.broker.publish(
                [0xFF, 0x00],
                to: queue,
                properties: ["message_id": .string(message), "headers": ["x-tenant": .string(Installation.tenant)]]
            )
            let path = try await letter(of: service) { $0["message_id"]?.stringValue == message }
            func discard(_ body: String) async throws -> Asked {
                try await ask(.POST, "\(path)/discard", body, by: person, seeing: resource(path))
            }
            expectNothing(try await discard("{}"), 422)
            let discarded = try await discard(#"{"reason":"somebody's trial"}"#)
            #expect(discarded.before?["state"] == "waiting" && discarded.after?["state"] == "discarded")
            let entry = Self.entry("discard", discarded, reason: "somebody's trial")
            try await expect(discarded, leaves: entry, by: person)
            expectNothing(try await discard(#"{"reason":"another one"}"#), 200)
            expectNothing(try await redrive(path, person), 409)
        }
    }

    private static func entry(_ action: String, _ asked: Asked, reason: String? = nil) -> Entry {
        func letter(_ document: JSONValue?) -> JSONValue {
            present(
                document,
                "discarded_at",
                "item_id",
                "message_id",
                "message_type",
                "reason",
                "redriven_at",
                "state"
            )
        }
        return Entry(
            action: action,
            type: "dead_letter",
            id: asked.before?["id"],
            before: letter(asked.before),
            after: letter(asked.after),
            reason: reason
        )
    }

    /// Has the database refuse rows for a while, and goes on with what that has led to once it takes them again.
    private func refusing(
        _ table: String,
        _ condition: String,
        _ body: () async throws -> String,
        _ afterwards: (String) async throws -> Void
    ) async throws {
        let name = Self.unique("no_poison").replacing("-", with: "_")
        try await installation.sql.execute(.simple("ALTER TABLE \(table) ADD CONSTRAINT \(name) CHECK (\(condition))"))
        let result: Result<String, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        try await installation.sql.execute(.simple("ALTER TABLE \(table) DROP CONSTRAINT \(name)"))
        try await afterwards(try result.get())
    }

    /// Waits for a letter, and answers its address.
    private func letter(
        of service: String,
        _ condition: (JSONValue) async throws -> Bool
    ) async throws -> String {
        let letter = try await eventually("there is a letter") {
            let query = "/admin/api/dead-letters?service=\(service)&state=waiting&limit=200"
            for letter in try await installation.read(query)["items"]?.arrayValue ?? []
            where try await condition(letter) {
                return JSONValue?.some(letter)
            }
            return nil
        } until: {
            $0 != nil
        }
        return Self.path(try #require(letter), of: service)
    }

    private static func path(_ letter: JSONValue, of service: String) -> String {
        "/admin/api/dead-letters/\(service)/\(letter["id"]?.stringValue ?? "")"
    }

    // MARK: - Replays

    private static func span(more: String = "") -> String {
        #"{"from":"2020-01-01T00:00:00Z","until":"\#(Timestamp.now())"\#(more)}"#
    }

    func startReplay(_ person: Person) async throws {
        let idle = "\(Self.automations)/\(try await draft("replay"))/replays"
        expectNothing(try await ask(.POST, idle, Self.span(), by: person), 409)
        let key = try await active("replay")
        func start(_ body: String) async throws -> Asked {
            let path = "\(Self.automations)/\(key)/replays"
            return try await ask(.POST, path, body, headers: ["Idempotency-Key": key], by: person)
        }
        expectNothing(try await start(#"{"from":"2020-01-01T00:00:00Z","until":"2019-01-01T00:00:00Z"}"#), 422)
        let body = Self.span()
        let started = try await start(body)
        let id = try #require(started.answer["replay_id"]?.stringValue, "\(started.answer.text)")
        let replay = try await installation.read("/admin/api/replays/\(id)")
        #expect(replay["status"] == "running")
        let after = Self.part(
            replay,
            "automation_id",
            "automation_key",
            "automation_version",
            "dry_run",
            "from",
            "status",
            "until"
        )
        let entry = Entry(action: "replay.start", type: "replay", id: .string(id), after: after)
        try await expect(started, 202, leaves: entry, by: person)
        expectNothing(try await start(body), 202)
        expectNothing(try await start(body.replacing("2020-", with: "2021-")), 422)
        try await prepare(.POST, "/admin/api/replays/\(id)/cancel")
    }

    func cancelReplay(_ person: Person) async throws {
        let key = try await active("replay")
        // The span has just ended, so the replay waits for what may be on its way, and can be canceled for certain.
        let started = try await prepare(
            .POST,
            "\(Self.automations)/\(key)/replays",
            Self.span(more: #","dry_run":true"#)
        )
        let id = try #require(started["replay_id"]?.stringValue)
        func cancel(_ id: String) async throws -> Asked {
            let path = "/admin/api/replays/\(id)"
            return try await ask(.POST, "\(path)/cancel", by: person, seeing: resource(path))
        }
        expectNothing(try await cancel(UUID().uuidString.lowercased()), 404)
        let canceled = try await cancel(id)
        #expect(canceled.before?["status"] == "running" && canceled.after?["status"] == "canceled")
        let entry = Entry(
            action: "replay.cancel",
            type: "replay",
            id: .string(id),
            before: Self.part(canceled.before, "considered", "replayed", "status"),
            after: Self.part(canceled.after, "considered", "replayed", "status")
        )
        try await expect(canceled, leaves: entry, by: person)
        expectNothing(try await cancel(id), 200)
    }

    // MARK: - Signals

    func postSignal(_ person: Person) async throws {
        let key = try await active("signal")
        let body = #"{"type":"\#(key)","id":"\#(key)","data":{}}"#
        let posted = try await ask(.POST, "/api/signals", body, by: person)
        expectNothing(posted, 202)
        let signal = try #require(posted.answer["signal_id"]?.stringValue.flatMap { UUID(uuidString: $0) })
        _ = try await run(of: signal, "succeeded")
        expectNothing(try await ask(.POST, "/api/signals", body, by: person), 202)
        expectNothing(try await ask(.POST, "/api/signals", "{}", by: person), 400)
    }

    func receiveHook() async throws {
        let name = Self.unique("hook")
        let made = try await prepare(.POST, "/admin/api/hooks", #"{"name":"\#(name)","kind":"github"}"#)
        let secret = try #require(made["secret"]?.stringValue)
        let body = #"{"zen":"x"}"#
        func deliver(_ secret: String) async throws -> Asked {
            let path = "/api/hooks/\(Installation.tenant).\(name)"
            let headers = IntegrationTests.gitHub("ping", delivery: name, Array(body.utf8), secret)
            return try await ask(.POST, path, body, headers: headers, by: nil)
        }
        expectNothing(try await deliver("\(secret)x"), 401)
        let delivered = try await deliver(secret)
        expectNothing(delivered, 202)
        #expect(delivered.answer["signals"]?[0]?["duplicate"] == false)
        expectNothing(try await deliver(secret), 202)
    }
}
