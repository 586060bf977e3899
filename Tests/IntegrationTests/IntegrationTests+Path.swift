import Foundation
import JSON
import TestSupport
import Testing

extension IntegrationTests {
    @Test("Steps: a run of an automation has its type and subtype, its steps, and an entry in the audit log")
    func aSignalBecomesARunAndAnEntry() async throws {
        let key = Self.unique("path")
        try await installation.automate(key, on: "path.\(key)", steps: 2)
        let receipt = try await installation.post(id: key, type: "path.\(key)", data: #"{"text":"señal"}"#)
        #expect(!receipt.isDuplicate)

        let signal = try await processed(receipt.signalID)
        #expect(signal["id"]?.stringValue == key)
        #expect(signal["source"]?.stringValue == "/tests")
        #expect(signal["type"]?.stringValue == "path.\(key)")
        #expect(signal["accepted_at"]?.stringValue?.hasSuffix("Z") == true)
        let judged = decision(key, in: signal)
        let decision = try #require(judged)
        #expect(decision["outcome"]?.stringValue == "run")

        let runID = try #require(decision["run_id"]?.stringValue)
        let run = try await installation.read("/api/runs/\(runID)")
        #expect(run["run_id"]?.stringValue == runID)
        #expect(run["status"]?.stringValue == "succeeded")
        #expect(run["automation_key"]?.stringValue == key)
        #expect(run["automation_version"]?.int64Value == 1)
        #expect(run["signal_id"]?.stringValue == receipt.signalID.uuidString.lowercased())
        #expect(run["type"]?.stringValue == "automation")
        #expect(run["subtype"]?.stringValue == "automation:\(key)")
        #expect(run["dry_run"]?.boolValue == false)
        #expect(run["error"] == .null)
        let steps = try #require(run["steps"]?.arrayValue)
        #expect(steps.compactMap { $0["name"]?.stringValue } == ["step-1", "step-2"])
        #expect(steps.allSatisfy { $0["status"]?.stringValue == "succeeded" && $0["attempt"]?.int64Value == 1 })
        #expect(steps[1]["output"] == ["text": "señal 2", "n": 2])
        let output = try await installation.read("/api/runs/\(runID)/steps/step-2/output")
        #expect(output == ["text": "señal 2", "n": 2])

        let entries = "SELECT convert_from(canonical, 'UTF8') FROM audit.entries WHERE tenant = 'acme'"
        let entry = try await eventually("the run's entry is in the log") {
            try await installation.texts(entries).map { try JSONValue(parsing: Array($0.utf8), limits: .wrapped) }
                .filter { $0["object"]?["id"]?.stringValue == runID }
        } until: {
            $0.count == 1
        }
        .first
        #expect(entry?["action"]?.stringValue == "run.end")
        #expect(entry?["after"]?["status"]?.stringValue == "succeeded")
        #expect(entry?["actor"]?["type"]?.stringValue == "system")
        #expect(entry?["outcome"]?.stringValue == "done")
    }

    /// What a client may nest to the limit stays readable for every service, whatever they wrap around it.
    @Test func theDeepestThatIsTakenGoesAllTheWay() async throws {
        let key = Self.unique("deep")
        func nested(_ levels: Int) -> String {
            String(repeating: #"{"a":"#, count: levels) + "1" + String(repeating: "}", count: levels)
        }
        // The body, its definition, the steps and the step are four levels of the 64 that are taken.
        let steps = #"[{"action_key":"data.transform","input":\#(nested(60))}]"#
        let definition = #"{"trigger":{"signalType":"deep.\#(key)"},"steps":\#(steps)}"#
        let created = try await installation.client().post(
            "/admin/api/automations",
            json: #"{"automation_key":"\#(key)","name":"Deep","definition":\#(definition)}"#
        )
        #expect(created.status == 201, "\(created.text)")
        try await installation.change(key, "activate")
        let receipt = try await installation.post(id: key, type: "deep.\(key)", data: nested(63))
        let signal = try await processed(receipt.signalID)
        #expect(decision(key, in: signal)?["outcome"]?.stringValue == "run")
        try await eventually("the creation is in the log") {
            try await installation.count(
                """
                SELECT count(*) FROM audit.entries
                WHERE convert_from(canonical, 'UTF8') LIKE '%"action":"create"%Deep%'
                """
            ) == 1
        }
        #expect(try await installation.count("SELECT count(*) FROM engine.dead_letters") == 0)
        #expect(try await installation.count("SELECT count(*) FROM audit.dead_letters") == 0)
    }

    @Test func aDuplicateStartsNothing() async throws {
        let key = Self.unique("again")
        try await installation.automate(key, on: "again.\(key)")
        let first = try await installation.post(id: key, type: "again.\(key)")
        let second = try await installation.post(id: key, type: "again.\(key)", data: #"{"other":1}"#, gateway: 1)
        #expect(second.isDuplicate)
        #expect(second.signalID == first.signalID)
        _ = try await processed(first.signalID)
        #expect(try await runs(of: key) == 1)
    }

    @Test func aPlainSignalNeedsOnlyItsType() async throws {
        let key = Self.unique("plain")
        try await installation.automate(key, on: "plain.*")
        let client = try installation.client()
        let answer = try await client.post("/api/signals", json: #"{"type":"plain.x","data":{"n":1}}"#)
        #expect(answer.status == 202)
        let signal = try await processed(try SignalBody.signalID(answer))
        #expect(signal["source"]?.stringValue == "/api/signals")
        #expect(decision(key, in: signal)?["outcome"]?.stringValue == "run")

        // The Idempotency-Key is the id of a plain signal that has none.
        let header = ["Idempotency-Key": key]
        let one = try await client.post("/api/signals", json: #"{"type":"plain.x"}"#, headers: header)
        let two = try await client.post("/api/signals", json: #"{"type":"plain.x"}"#, headers: header)
        #expect(try JSONValue(parsing: one.body)["id"]?.stringValue == key)
        #expect(try JSONValue(parsing: one.body)["duplicate"]?.boolValue == false)
        #expect(try JSONValue(parsing: two.body)["duplicate"]?.boolValue == true)
        #expect(try SignalBody.signalID(one) == SignalBody.signalID(two))
    }

    @Test("Operation list, get: an automation is read by id and key, and listed in pages")
    func anAutomationIsReadAndListed() async throws {
        let key = Self.unique("listed")
        let client = try installation.client()
        let body = Installation.automation(key, on: "listed.x")
        let created = try await client.post("/admin/api/automations", json: body)
        #expect(created.status == 201)
        let automation = try JSONValue(parsing: created.body)
        let id = try #require(automation["id"]?.stringValue)
        #expect(automation["status"]?.stringValue == "draft")
        #expect(automation["version"]?.int64Value == 1)
        #expect(automation["definition"] == (try JSONValue(parsing: Array(body.utf8))["definition"]))
        let tag = try #require(created.header("ETag"))

        #expect(try await installation.read("/admin/api/automations/\(id)") == automation)
        #expect(try await installation.read("/admin/api/automations/\(key)") == automation)
        let activated = try await client.send(
            "POST",
            "/admin/api/automations/\(id)/activate",
            headers: ["If-Match": tag]
        )
        #expect(activated.status == 200)
        #expect(activated.header("ETag") != tag)
        let stale = try await client.send(
            "POST",
            "/admin/api/automations/\(id)/deactivate",
            headers: ["If-Match": tag]
        )
        #expect(stale.status == 412)
        let deactivated = try await client.send("POST", "/admin/api/automations/\(key)/deactivate")
        #expect(try JSONValue(parsing: deactivated.body)["status"]?.stringValue == "deprecated")

        let listed = try await everyPage("/admin/api/automations?limit=2")
        let keys = listed.compactMap { $0["automation_key"]?.stringValue }
        #expect(
            keys.count
                == (try await installation.count("SELECT count(*) FROM engine.automations WHERE tenant = 'acme'"))
        )
        #expect(Set(keys).count == keys.count)
        #expect(keys.contains(key))
        let actions = try await installation.read("/admin/api/actions")
        #expect(actions["items"]?.arrayValue?.contains { $0["action_key"]?.stringValue == "data.transform" } == true)
    }

    @Test func runsAreListedInPages() async throws {
        let key = Self.unique("pages")
        try await installation.automate(key, on: "pages.\(key)")
        var signals: [String] = []
        for number in 0..<7 {
            let receipt = try await installation.post(id: "\(key)-\(number)", type: "pages.\(key)", gateway: number % 2)
            signals.append(receipt.signalID.uuidString.lowercased())
            _ = try await processed(receipt.signalID)
        }
        let listed = try await everyPage("/api/runs?automation_key=\(key)&status=succeeded&limit=3")
        #expect(listed.compactMap { $0["signal_id"]?.stringValue } == signals.reversed())
        let one = try await installation.read("/api/runs?signal_id=\(signals[3])")
        #expect(one["items"]?.arrayValue?.count == 1)
        #expect(one["next"] == .null)
        let recent = try await installation.read("/api/runs/recent?limit=2")
        #expect(recent["items"]?.arrayValue?.compactMap { $0["signal_id"]?.stringValue } == [signals[6], signals[5]])
        let none = try await installation.read("/api/runs?automation_key=\(key)&status=failed")
        #expect(none["items"] == [])
    }

    @Test func aTokenActsForItsNameAndDiesWhenRevoked() async throws {
        let client = try installation.client()
        let name = Self.unique("token")
        let made = try await client.post("/admin/api/tokens", json: #"{"name":"\#(name)","role":"author"}"#)
        #expect(made.status == 201)
        let record = try JSONValue(parsing: made.body)
        let token = try #require(record["token"]?.stringValue)
        let id = try #require(record["token_id"]?.stringValue ?? record["id"]?.stringValue)
        let body = Installation.automation(name, on: "token.x")
        #expect(try await installation.client(token: token).post("/admin/api/automations", json: body).status == 201)
        let entries = """
            SELECT convert_from(canonical, 'UTF8')::jsonb ->> 'actor' FROM audit.entries
            WHERE convert_from(canonical, 'UTF8')::jsonb -> 'after' ->> 'name' = 'Of \(name)'
            """
        let actor = try await eventually("the creation is in the log") {
            try await installation.texts(entries)
        } until: {
            $0.count == 1
        }
        #expect(
            try JSONValue(parsing: Array(actor[0].utf8), limits: .wrapped)
                == ["id": .string(name), "via": .string("token:\(id)"), "type": "user"]
        )
        #expect(try await client.send("DELETE", "/admin/api/tokens/\(id)").status == 200)
        for gateway in installation.replicas(of: .gateway) {
            let holder = gateway.client(headers: ["Authorization": "Bearer \(token)"])
            #expect(try await holder.post("/api/signals", json: #"{"type":"token.x"}"#).status == 401)
            #expect(try await holder.get("/api/runs").status == 401)
        }
    }

    /// How many runs an automation has.
    func runs(of key: String) async throws -> Int {
        try await installation.count("SELECT count(*) FROM engine.automation_runs WHERE automation_key = '\(key)'")
    }

    /// Every item of a list, page by page along its links, which must say the same as `next`.
    private func everyPage(_ first: String) async throws -> [JSONValue] {
        var items: [JSONValue] = []
        var path: String? = first
        while let page = path {
            let answer = try await installation.client().get(page)
            try #require(answer.status == 200, "\(answer.text)")
            let body = try JSONValue(parsing: answer.body, limits: .wrapped)
            items += body["items"]?.arrayValue ?? []
            let link = answer.header("Link")
            #expect((link == nil) == (body["next"] == .null))
            path = link.map { String($0.dropFirst().prefix { $0 != ">" }) }
            try #require(items.count < 10_000, "the pages end")
        }
        return items
    }
}
