import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    @Test func anEventsValuesReachAServiceOnce() async throws {
        let key = Self.unique("call")
        try await RecordingSink.with { _, _ in
            .answer(201, body: #"{"ticket":42}"#)
        } _: { sink in
            try await automate(
                key,
                on: "\(key).*",
                filter: #"{"data":{"amount":[{"numeric":[">",10]}]}}"#,
                steps: """
                    {"name":"open","action_key":"http.request","input":{"method":"POST","url":"\(sink.url)/tickets",
                     "body":{"title":"{{ signal.data.title }}","amount":"{{ signal.data.amount }}"}}}
                    """,
                #"{"name":"note","action_key":"data.transform","input":{"ticket":"{{ steps.open.output.body.ticket }}"}}"#
            )
            let met = try await installation.post(
                id: "\(key)-1",
                type: "\(key).one",
                data: #"{"title":"ñ","amount":11}"#
            )
            let missed = try await installation.post(
                id: "\(key)-2",
                type: "\(key).one",
                data: #"{"title":"x","amount":9}"#
            )
            let run = try await run(of: met.signalID, "succeeded")
            #expect(run["steps"]?[1]?["output"]?["ticket"]?.int64Value == 42)
            #expect(run["steps"]?[0]?["output"]?["status"]?.int64Value == 201)
            let id = try #require(run["run_id"]?.stringValue)
            let call = try #require(sink.calls.first)
            #expect(sink.calls.count == 1)
            #expect(call.method == "POST" && call.path == "/tickets")
            #expect(call.idempotencyKey == "\(id).open")
            #expect(call.body == #"{"title":"ñ","amount":11}"#)
            let decisions = try await eventually("the other is processed") {
                try await installation.read("/api/signals/\(missed.signalID.uuidString.lowercased())")
            } until: {
                $0["status"]?.stringValue == "processed"
            }
            #expect(decisions["decisions"]?[0]?["outcome"]?.stringValue == "not_matched")
        }
    }

    @Test("Step outcomes of http.request: failures are tried again, and unknown ones are parked")
    func failuresAreTriedAgainAndUnknownOutcomesAreParked() async throws {
        let key = Self.unique("retry")
        try await RecordingSink.with { call, earlier in
            switch call.path {
            case "/busy": earlier < 2 ? .answer(503) : .answer(200)
            case "/broken": .answer(500)
            default: .drop
            }
        } _: { sink in
            for (name, method) in [("busy", "POST"), ("broken", "POST"), ("gone", "POST")] {
                try await automate(
                    "\(key)-\(name)",
                    on: "\(key).\(name)",
                    steps: """
                        {"name":"call","action_key":"http.request","input":{"method":"\(method)","url":"\(sink.url)/\(name)"},
                         "retry":{"max_attempts":3,"delay":"50ms","jitter":false}}
                        """
                )
            }
            let busy = try await installation.post(id: "\(key)-busy", type: "\(key).busy")
            let run = try await run(of: busy.signalID, "succeeded")
            #expect(run["steps"]?[0]?["attempt"]?.int64Value == 3)
            #expect(Set(sink.calls.filter { $0.path == "/busy" }.map(\.idempotencyKey)).count == 1)
            for name in ["broken", "gone"] {
                let receipt = try await installation.post(id: "\(key)-\(name)", type: "\(key).\(name)")
                let parked = try await self.run(of: receipt.signalID, "unknown")
                #expect(parked["steps"]?[0]?["status"]?.stringValue == "unknown")
                #expect(sink.calls.count { $0.path == "/\(name)" } == 1)
            }
        }
    }

    @Test func aSignalThatAStepEmitsStartsOtherAutomations() async throws {
        let key = Self.unique("emit")
        try await automate(
            "\(key)-first",
            on: "\(key).first",
            steps:
                #"{"name":"tell","action_key":"signal.emit","input":{"type":"\#(key).second","data":{"n":"{{ signal.data.n }}"}}}"#
        )
        try await automate(
            "\(key)-second",
            on: "\(key).second",
            steps: #"{"name":"note","action_key":"data.transform","input":{"n":"{{ signal.data.n }}"}}"#
        )
        let receipt = try await installation.post(id: "\(key)-1", type: "\(key).first", data: #"{"n":5}"#)
        let first = try await run(of: receipt.signalID, "succeeded")
        let emitted = try #require(first["steps"]?[0]?["output"]?["signal_id"]?.stringValue)
        let second = try await run(of: try #require(UUID(uuidString: emitted)), "succeeded")
        #expect(second["automation_key"]?.stringValue == "\(key)-second")
        #expect(second["steps"]?[0]?["output"]?["n"]?.int64Value == 5)

        // What became of it is read as of any other signal, and by its own tenant only.
        let signal = try await installation.read("/api/signals/\(emitted)")
        #expect(signal["signal_id"]?.stringValue == emitted)
        #expect(signal["id"]?.stringValue == emitted)
        #expect(signal["source"]?.stringValue == "/batuta/automations/\(key)-first")
        #expect(signal["type"]?.stringValue == "\(key).second")
        #expect(signal["accepted_at"] == first["steps"]?[0]?["finished_at"])
        #expect(signal["status"]?.stringValue == "processed")
        let decisions = try #require(signal["decisions"]?.arrayValue)
        #expect(decisions.map { $0["automation_key"]?.stringValue } == ["\(key)-second"])
        #expect(decisions.map { $0["outcome"]?.stringValue } == ["run"])
        #expect(decisions.map { $0["run_id"] } == [second["run_id"]])
        let foreigner = try installation.client(token: try await foreignToken())
        #expect(try await foreigner.get("/api/signals/\(emitted)").status == 404)

        let question = #"{"signal_id":"\#(emitted)"}"#
        let why = try await installation.client().post("/admin/api/automations/\(key)-second/why", json: question)
        #expect(try JSONValue(parsing: why.body)["matches"]?.boolValue == true, "\(why.text)")
        #expect(
            try await foreigner.post("/admin/api/automations/\(key)-second/why", json: question).status == 404
        )
    }

    @Test("Steps of http.request reach no address that BATUTA_HTTP_ALLOW does not list")
    func whatMayNotBeCalledIsNotCalled() async throws {
        let key = Self.unique("guard")
        // It would answer at every address of the machine; the engine may call it at 127.0.0.1 alone.
        try await RecordingSink.with(on: "::") { call, _ in
            call.path == "/away" ? .answer(302, headers: ["location": call.body]) : .answer(200)
        } _: { sink in
            try await automate(
                key,
                on: "\(key).straight",
                steps: #"{"name":"call","action_key":"http.request","input":{"url":"http://{{ signal.data.host }}/x"}}"#
            )
            try await automate(
                "\(key)-away",
                on: "\(key).away",
                steps: """
                    {"name":"call","action_key":"http.request","idempotent":false,"input":{"method":"POST",
                     "url":"\(sink.url)/away","body":"http://{{ signal.data.host }}/x","follow_redirects":true}}
                    """
            )
            let hosts = [
                "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "0x7f000002", "2130706434", "0177.0.0.2",
                "127.2",
                "169.254.169.254", "10.0.0.1", "user@127.0.0.2",
            ]
            for host in hosts {
                let data = #"{"host":"\#(host):\#(sink.port)"}"#
                let receipt = try await installation.post(id: "\(key)-\(host)", type: "\(key).straight", data: data)
                let run = try await run(of: receipt.signalID, "failed")
                #expect(run["steps"]?[0]?["status"]?.stringValue == "failed")
                let code = run["steps"]?[0]?["error"]?["code"]?.stringValue ?? "none"
                #expect(["address_refused", "invalid_url", "invalid_input"].contains(code), "\(host): \(code)")
            }
            #expect(sink.calls.isEmpty)
            for host in hosts {
                let data = #"{"host":"\#(host):\#(sink.port)"}"#
                let receipt = try await installation.post(id: "\(key)-\(host)-away", type: "\(key).away", data: data)
                // Whether the server that answered first has done something is not known.
                let run = try await run(of: receipt.signalID, "unknown")
                let code = run["steps"]?[0]?["error"]?["code"]?.stringValue ?? "none"
                #expect(["address_refused", "redirect_refused"].contains(code), "\(host): \(code)")
            }
            #expect(sink.calls.map(\.path) == hosts.map { _ in "/away" })
        }
    }

    @Test("Steps: a secret reaches its service, and nothing else")
    func aSecretReachesItsServiceAndNothingElse() async throws {
        let key = Self.unique("secret")
        let canary = "canary-\(UUID().uuidString)"
        let client = try installation.client()
        let step = """
            {"name":"call","action_key":"http.request","input":{"method":"POST","url":"URL/echo",
             "headers":{"Authorization":"Bearer {{ secret:\(key) }}"},"body":{"token":"{{ secret:\(key) }}"}}}
            """
        let refused = try await client.post(
            "/admin/api/automations",
            json: """
                {"automation_key":"\(key)","name":"\(key)","definition":{"trigger":{"signalType":"\(key)"},
                 "steps":[\(step.replacing("URL", with: "https://example.com"))]}}
                """
        )
        #expect(refused.status == 422)
        #expect(
            refused.text.contains("unknown_secret") && refused.text.contains("/definition/steps/0/input/body/token")
        )
        let set = try await client.send(
            .PUT,
            "/admin/api/secrets/\(key)",
            headers: ["Content-Type": "application/json"],
            body: Array(#"{"value":"\#(canary)"}"#.utf8)
        )
        #expect(set.status == 200 && !set.text.contains(canary), "\(set.text)")
        try await RecordingSink.with { call, _ in
            .answer(200, body: #"{"echo":\#(call.body),"header":"\#(call.authorization ?? "")"}"#)
        } _: { sink in
            try await automate(key, on: key, steps: step.replacing("URL", with: sink.url))
            let receipt = try await installation.post(id: key, type: key)
            let run = try await run(of: receipt.signalID, "succeeded")
            #expect(sink.calls.map(\.authorization) == ["Bearer \(canary)"])
            #expect(sink.calls.map(\.body) == [#"{"token":"\#(canary)"}"#])
            let output = run["steps"]?[0]?["output"]?["body"]
            #expect(output?["header"]?.stringValue == "Bearer <secret>")
            #expect(output?["echo"]?["token"]?.stringValue == "<secret>")
        }
        let places = [
            "engine.automation_run_steps", "engine.step_attempts", "engine.automation_runs", "engine.outbox",
            "engine.requests", "engine.secrets", "audit.entries", "gateway.outbox",
        ]
        for place in places {
            // Bytes are looked into as they are, not in the hexadecimal form in which a row shows them.
            let column = ["engine.outbox", "gateway.outbox"].contains(place) ? "coalesce(body, '')" : nil
            let bytes = place == "audit.entries" ? "canonical" : place == "engine.secrets" ? "sealed" : column
            let condition =
                bytes.map { "position('\(canary)'::bytea IN \($0)) > 0" } ?? "strpos(t::text, '\(canary)') > 0"
            let found = try await installation.count("SELECT count(*) FROM \(place) t WHERE \(condition)")
            #expect(found == 0, "the secret stands in \(place)")
        }
        #expect(!installation.all.contains { $0.logs.contains(canary) })
    }

    @Test("Judging: why an event starts nothing has an answer")
    func whyAnEventStartsNothing() async throws {
        let key = Self.unique("why")
        try await automate(
            key,
            on: "\(key).*",
            filter: #"{"data":{"n":[{"numeric":[">",10]}]}}"#,
            steps: #"{"name":"one","action_key":"data.transform"}"#
        )
        let client = try installation.client()
        let receipt = try await installation.post(id: key, type: "\(key).one", data: #"{"n":5}"#)
        let path = "/admin/api/automations/\(key)/why"
        let answer = try await client.post(path, json: #"{"signal_id":"\#(receipt.signalID.uuidString)"}"#)
        #expect(answer.status == 200, "\(answer.text)")
        let why = try JSONValue(parsing: answer.body)
        #expect(why["matches"]?.boolValue == false)
        #expect(why["reasons"]?[0]?["pointer"]?.stringValue == "/trigger/filter/data/n")
        #expect(why["reasons"]?[0]?["detail"]?.stringValue == "data.n is 5, and the pattern wants a number above 10")
        let event = #"{"event":{"type":"\#(key).two","data":{"n":11}}}"#
        #expect(try JSONValue(parsing: try await client.post(path, json: event).body)["runs"]?.boolValue == true)
        #expect(try await client.post(path, json: "{}").status == 400)
        let unknown = #"{"signal_id":"\#(UUID().uuidString)"}"#
        #expect(try await client.post(path, json: unknown).status == 404)
    }
}
