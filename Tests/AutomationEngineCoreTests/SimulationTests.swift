import Domain
import JSON
import Testing

@testable import AutomationEngineCore

/// What a dry run does in place of its steps' effects.
@Suite struct SimulationTests {
    private func dryRun(_ steps: String..., data: String = "{}") throws -> (RunMachine, RunMachine.Next, RunChange) {
        let automation = try Fixtures.automation(
            #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))]}"#
        )
        var signal = try Fixtures.signal(data: data)
        signal.isForDryRun = true
        var machine = RunMachine(automation, signal: signal, runID: UUIDv7.make(), at: TestEngine.now)
        let next = machine.resumed(at: TestEngine.now, mayAttempt: false)
        return (machine, next, machine.takeChange())
    }

    private func would(_ step: RunRecord.Step) throws -> String? {
        try step.simulation.map { try JSONValue(parsing: $0)["would"]?.stringValue ?? "nothing" }
    }

    @Test("Mode dry_run: every step says what it would do, and none does it")
    func says() throws {
        let (machine, next, change) = try dryRun(
            #"{"name":"text","action_key":"data.transform","input":{"n":"{{ signal.data.n }}"}}"#,
            """
            {"name":"call","action_key":"http.request","input":{"method":"POST",
             "url":"https://example.com/{{ steps.text.output.n }}","body":{"x":1},
             "headers":{"Authorization":"Bearer {{ secret:token }}"}}}
            """,
            #"{"name":"emit","action_key":"signal.emit","input":{"type":"a.c","data":"{{ steps.call.output.status }}"}}"#,
            data: #"{"n":7}"#
        )
        #expect(next == .end)
        #expect(machine.record.isDryRun && machine.record.status == .succeeded)
        #expect(machine.record.steps.map(\.status) == [.succeeded, .succeeded, .succeeded])
        #expect(
            try machine.record.steps.map { try would($0) } == [
                "Output its input.", "Send POST to https://example.com/7, with a body of 7 bytes.",
                "Emit a signal of the type a.c.",
            ]
        )
        #expect(change.started.isEmpty && change.emissions.isEmpty && change.timer == nil)
        // A later step has read a value that the output could have.
        let input = try JSONValue(parsing: #require(machine.record.steps[2].input))
        #expect(input["data"] == 200)
        let stored = String(decoding: try #require(machine.record.steps[1].input), as: UTF8.self)
        #expect(stored.contains("{{ secret:token }}") && !stored.contains("***"))
    }

    @Test("an input that the action refuses fails the step, as it would have")
    func refuses() throws {
        let (machine, next, _) = try dryRun(
            #"{"name":"call","action_key":"http.request","input":{"url":"{{ signal.data.url }}"},"on_error":"continue"}"#,
            #"{"name":"emit","action_key":"signal.emit","input":{"type":"{{ signal.data.none }}"}}"#,
            #"{"name":"last","action_key":"data.transform"}"#,
            data: #"{"url":"ftp://x"}"#
        )
        #expect(next == .end)
        #expect(machine.record.status == .failed)
        #expect(machine.record.steps.map(\.status) == [.failed, .failed, .skipped])
        #expect(try machine.record.steps.map { try would($0) } == [nil, nil, nil])
    }

    @Test("what only a real answer holds is not simulated, and the run goes on")
    func samplesAreNotEnough() throws {
        let (machine, _, _) = try dryRun(
            #"{"name":"call","action_key":"http.request","input":{"url":"https://example.com/"}}"#,
            #"{"name":"read","action_key":"data.transform","input":{"t":"{{ steps.call.output.body.ticket }}"}}"#,
            #"{"name":"next","action_key":"data.transform","input":{"t":"{{ steps.read.output.t }}"}}"#,
            #"{"name":"wrong","action_key":"data.transform","input":{"t":"{{ signal.data.none }}"}}"#
        )
        #expect(machine.record.steps.map(\.status) == [.succeeded, .notSimulated, .notSimulated, .failed])
        #expect(machine.record.status == .failed, "what is missing in the signal is missing in a live run too")
    }

    @Test("a URL that holds a secret is not shown, and does not fail the dry run")
    func secretURLs() throws {
        for (action, url) in [
            ("http.request", "{{ secret:url }}"), ("http.request", "https://{{ secret:host }}/x"),
            ("notify.webhook", "{{ secret:url }}"),
        ] {
            let payload = action == "notify.webhook" ? #","payload":1,"secret":"{{ secret:key }}""# : ""
            let (machine, _, _) = try dryRun(
                #"{"name":"call","action_key":"\#(action)","input":{"url":"\#(url)"\#(payload)}}"#
            )
            #expect(machine.record.status == .succeeded)
            #expect(try would(machine.record.steps[0])?.contains("a URL that holds a secret") == true)
        }
    }

    @Test("a step that is repeated over what only a real answer holds is not simulated, and the run goes on")
    func itemsOfAnAnswer() throws {
        let (machine, _, _) = try dryRun(
            #"{"name":"call","action_key":"http.request","input":{"url":"https://example.com/"}}"#,
            #"{"name":"each","action_key":"data.transform","for_each":{"items":"{{ steps.call.output.body.items }}"}}"#,
            #"{"name":"all","action_key":"data.transform","for_each":{"items":[1,2]},"input":{"n":"{{ item }}"}}"#
        )
        #expect(machine.record.steps.prefix(3).map(\.status) == [.succeeded, .notSimulated, .succeeded])
        #expect(machine.record.status == .succeeded)
    }

    @Test(
        "what a wait brings is only there in a live run: a step that reads it is not simulated, and the run goes on",
        arguments: [
            (#""flow.wait_for_signal","input":{"type":"a.c"}"#, "data.sum"),
            (#""flow.approval","input":{"title":"Go?"}"#, "form.window"),
            (#""automation.run","input":{"automation":"two"}"#, "output.sum"),
        ]
    )
    func waits(action: String, path: String) throws {
        let (machine, _, _) = try dryRun(
            #"{"name":"wait","action_key":\#(action)}"#,
            #"{"name":"read","action_key":"data.transform","input":{"x":"{{ steps.wait.output.\#(path) }}"}}"#,
            #"{"name":"after","action_key":"data.transform"}"#
        )
        #expect(machine.record.steps.map(\.status) == [.succeeded, .notSimulated, .succeeded])
        #expect(machine.record.status == .succeeded)
    }

    @Test("a condition decides as it would have")
    func conditions() throws {
        let (machine, _, _) = try dryRun(
            #"{"name":"call","action_key":"http.request","input":{"url":"https://example.com/"}}"#,
            #"{"name":"dry","action_key":"data.transform","when":{"run":{"dry_run":[true]}}}"#,
            #"{"name":"bad","action_key":"data.transform","when":{"steps":{"call":{"output":{"status":[500]}}}}}"#,
            #"{"name":"sample","action_key":"data.transform","when":{"steps":{"call":{"simulated":[true]}}}}"#
        )
        #expect(machine.record.steps.map(\.status) == [.succeeded, .succeeded, .skipped, .succeeded])
    }

    @Test("Mode dry_run: the sample of an output is valid under its action's schema")
    func samples() throws {
        var tried: Set<BuiltInAction> = []
        for (action, input) in [
            (BuiltInAction.emit, #"{"type":"a.c"}"#), (.http, #"{"url":"https://example.com/"}"#), (.transform, "{}"),
            (.delay, #"{"for":"5s"}"#), (.approval, #"{"title":"Go?"}"#), (.waitForSignal, #"{"type":"a.c"}"#),
            (.webhook, #"{"url":"https://example.com/","payload":1}"#),
            (.email, #"{"to":"a@example.org","subject":"s","text":"t"}"#), (.run, #"{"automation":"two"}"#),
        ] {
            let (machine, _, _) = try dryRun(#"{"name":"one","action_key":"\#(action.rawValue)","input":\#(input)}"#)
            let output = try #require(machine.record.steps[0].output)
            let declared = try #require(ActionRegistry.builtIn[action.rawValue])
            #expect(declared.canSimulate)
            #expect(throws: Never.self) { try declared.output.require(output, orElse: "invalid_output") }
            tried.insert(action)
        }
        #expect(tried == Set(BuiltInAction.allCases))
    }

    @Test("a resolved input that its action's schema does not allow fails the step; a secret may be anything")
    func schemas() throws {
        let (machine, _, _) = try dryRun(
            #"{"name":"emit","action_key":"signal.emit","input":{"type":"a.c","subject":"{{ signal.data.n }}"},"on_error":"continue"}"#,
            #"{"name":"small","action_key":"http.request","input":{"url":"https://x.org","method":"{{ signal.data.m }}"},"on_error":"continue"}"#,
            #"{"name":"call","action_key":"http.request","input":{"url":"https://x.org","method":"{{ secret:method }}"},"on_error":"continue"}"#,
            #"{"name":"last","action_key":"http.request","input":{"url":"https://x.org","headers":{"a":"{{ secret:a }}"}}}"#,
            data: #"{"n":7,"m":"put"}"#
        )
        #expect(machine.record.steps.map(\.status) == [.failed, .failed, .failed, .succeeded])
        let errors = try machine.record.steps.prefix(2).map { try JSONValue(parsing: #require($0.error)) }
        #expect(errors.map { $0["code"]?.stringValue } == ["invalid_input", "invalid_input"])
        // Where the action has words of its own, they come first.
        #expect(errors[0]["detail"]?.stringValue == "The subject of a signal is a text.")
        #expect(errors[1]["detail"]?.stringValue?.hasPrefix("/method: The value must be one of \"GET\"") == true)
        #expect(errors[1]["errors"]?[0]?["pointer"]?.stringValue == "/method")
    }
}
