import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// "What a step sees", and the "Action Registry".
extension ContractTests {
    @Test("Steps see the signal, earlier steps, the run and the automation; secrets in inputs alone")
    func stepsSee() async throws {
        let key = Self.unique("sees")
        try await automate(
            key,
            on: key,
            steps: #"{"name":"one","action_key":"data.transform","input":{"deep":{"n":"{{ signal.data.n }}"}}}"#,
            """
            {"name":"two","action_key":"data.transform","input":{"type":"{{ signal.type }}","by":"{{ signal.metadata.source.type }}",
             "n":"{{ steps.one.output.deep.n }}","was":"{{ steps.one.status }}","run":"{{ run.id }}","dry":"{{ run.dry_run }}",
             "key":"{{ automation.key }}","version":"{{ automation.version }}"}}
            """,
            """
            {"name":"met","action_key":"data.transform","when":{"signal":{"data":{"n":[5]},"metadata":{"source":{"type":["manual"]}}},
             "steps":{"one":{"status":["succeeded"],"output":{"deep":{"n":[5]}}}},"run":{"dry_run":[false]},"automation":{"key":["\(key)"]}}}
            """,
            #"{"name":"not","action_key":"data.transform","when":{"steps":{"one":{"status":["failed"]}}}}"#
        )
        let answer = try await execute(key, "live_run", #"{"n":5}"#)
        let steps = answer["steps"]
        #expect(steps?[0]?["output"] == ["deep": ["n": 5]], "data.transform outputs its resolved input: \(answer.text)")
        #expect(
            steps?[1]?["output"] == [
                "type": .string(key), "by": "manual", "n": 5, "was": "succeeded",
                "run": answer["run_id"] ?? .null, "dry": false, "key": .string(key), "version": 1,
            ]
        )
        #expect(steps?.arrayValue?.suffix(2).map { $0["status"]?.stringValue } == ["succeeded", "skipped"])
        #expect(answer["type"]?.stringValue == "automation")
        #expect(answer["subtype"]?.stringValue == "automation:\(key)")
        for input in [#""{{ tenant.name }}""#, #""{{ steps.later.output }}""#, #""{{ secret:none-\#(key) }}""#] {
            let definition = Self.definition(on: key, #"{"action_key":"data.transform","input":{"x":\#(input)}}"#)
            let refused = try await ask(.POST, Self.automations, Self.body("\(key)-no", definition))
            #expect(refused.pointers == ["/definition/steps/0/input/x"], "\(input): \(refused.text)")
        }
        for place in [
            #""concurrency":{"limit":1,"key":"{{ secret:x }}"}"#, #""dedupe":{"key":"{{ secret:x }}","window":"1h"}"#,
        ] {
            let definition = Self.definition(on: key).dropLast() + ",\(place)}"
            let refused = try await ask(.POST, Self.automations, Self.body("\(key)-no", String(definition)))
            #expect(refused.status == 422 && refused.pointers.first?.hasSuffix("/key") == true, "\(refused.text)")
        }
    }

    @Test(
        "Step outcomes of http.request: a status of 400 and above that expect does not list fails; 429, 503 and a refused connection are retried"
    )
    func stepOutcomes() async throws {
        let key = Self.unique("outcomes")
        let refused = try FreePort.next()
        try await RecordingSink.with { call, earlier in
            switch call.path {
            case "/429", "/503": earlier == 0 ? .answer(Int(call.path.dropFirst()) ?? 0) : .answer(200, body: "[1]")
            case "/drop": .drop
            default: .answer(Int(call.path.dropFirst()) ?? 0)
            }
        } _: { sink in
            // Method, path, members of input and step; then status, attempts, and the status that is output.
            let rows: [(String, String, String, String, String, Int64, Int64?)] = [
                ("POST", "/204", "", "", "succeeded", 1, 204), ("POST", "/399", "", "", "succeeded", 1, 399),
                ("POST", "/404", "", "", "failed", 1, nil),
                ("POST", "/404", #","expect":[404]"#, "", "succeeded", 1, 404),
                ("POST", "/409", #","expect":[404]"#, "", "failed", 1, nil),
                ("POST", "/429", "", "", "succeeded", 2, 200),
                ("POST", "/503", "", "", "succeeded", 2, 200), ("POST", "/500", "", "", "unknown", 1, nil),
                ("PATCH", "/502", "", "", "unknown", 1, nil), ("POST", "/drop", "", "", "unknown", 1, nil),
                ("POST", "/500", "", #","idempotent":true"#, "failed", 2, nil),
                ("GET", "/500", "", "", "failed", 2, nil),
                ("HEAD", "/500", "", "", "failed", 2, nil), ("PUT", "/drop", "", "", "failed", 2, nil),
                ("DELETE", "/504", "", "", "failed", 2, nil),
                ("GET", "/500", "", #","idempotent":false"#, "unknown", 1, nil),
            ]
            let retry = #""retry":{"max_attempts":2,"delay":"1ms","jitter":false}"#
            for (number, row) in rows.enumerated() {
                let (method, path, input, more, status, attempts, output) = row
                try await automate(
                    "\(key)-\(number)",
                    on: key,
                    steps: """
                        {"name":"call","action_key":"http.request",\(retry)\(more),"on_error":"continue",
                         "input":{"method":"\(method)","url":"\(sink.url)\(path)"\(input)}}
                        """
                )
                let run = try await execute("\(key)-\(number)", "live_run")
                let step = run["steps"]?[0]
                #expect(step?["status"]?.stringValue == status, "\(row): \(run.text)")
                #expect(step?["attempt"]?.int64Value == attempts, "\(row): \(run.text)")
                #expect(step?["output"]?["status"]?.int64Value == output, "\(row)")
                // The key is always sent, and is the same for every attempt.
                let id = run["run_id"]?.stringValue ?? ""
                #expect(sink.calls.count { $0.idempotencyKey == "\(id).call" } == Int(attempts), "\(row)")
            }
            let call = #""action_key":"http.request","input":{"method":"POST","url":"http://127.0.0.1:\#(refused)/"}"#
            try await automate("\(key)-refused", on: key, steps: #"{"name":"call",\#(retry),\#(call)}"#)
            let run = try await execute("\(key)-refused", "live_run")
            #expect(
                run["status"]?.stringValue == "failed" && run["steps"]?[0]?["attempt"]?.int64Value == 2,
                "\(run.text)"
            )
        }
    }

    @Test(
        "Steps of flow.wait_for_signal see signals accepted after their run started, which match automations as usual"
    )
    func stepsWait() async throws {
        let key = Self.unique("awaits")
        try await automate(
            key,
            on: key,
            steps:
                #"{"name":"wait","action_key":"flow.wait_for_signal","input":{"type":"\#(key).in","match":{"/data/k":"a"}}}"#
        )
        try await automate("\(key)-too", on: "\(key).in", steps: Self.transform)
        let early = try await installation.post(id: "\(key)-early", type: "\(key).in", data: #"{"k":"a","n":0}"#)
        _ = try await processed(early.signalID)
        let started = try await installation.post(id: key, type: key)
        _ = try await run(of: started.signalID, "waiting")
        for (number, k) in [(1, "b"), (2, "a")] {
            let receipt = try await installation.post(
                id: "\(key)-\(number)",
                type: "\(key).in",
                data: #"{"k":"\#(k)","n":\#(number)}"#
            )
            let signal = try await processed(receipt.signalID)
            #expect(decision("\(key)-too", in: signal)?["outcome"]?.stringValue == "run")
        }
        let ended = try await run(of: started.signalID, "succeeded")
        #expect(ended["steps"]?[0]?["output"]?["data"]?["n"]?.int64Value == 2)
        #expect(try await runs(of: "\(key)-too") == 3)
    }

    @Test("Registry: every action is listed with its schemas, and whether it is idempotent and can simulate")
    func registryList() async throws {
        let items = try await installation.read("/admin/api/actions?limit=200")["items"]?.arrayValue ?? []
        let builtIn = items.filter { $0["kind"]?.stringValue == "built_in" }
        let keys = Set(builtIn.compactMap { $0["action_key"]?.stringValue })
        let expected: Set = [
            "http.request", "signal.emit", "notify.email", "notify.webhook", "flow.delay", "flow.approval",
            "flow.wait_for_signal", "data.transform",
        ]
        #expect(keys.isSuperset(of: expected), "\(keys)")
        for action in items {
            for member in [
                "title", "description", "input_schema", "output_schema", "timeout", "retry", "run_type", "run_subtype",
            ] {
                #expect(action[member] != nil, "\(member) of \(action)")
            }
            for member in ["idempotent", "simulates"] {
                #expect(action[member]?.boolValue != nil, "\(member) of \(action)")
            }
        }
    }
}
