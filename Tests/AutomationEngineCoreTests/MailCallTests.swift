import Domain
import JSON
import Mail
import Testing

@testable import AutomationEngineCore

/// The input of `notify.email`, and what a dry run says of it.
@Suite struct MailCallTests {
    private static func call(_ input: String) throws -> MailCall { try MailCall(Array(input.utf8)) }

    @Test("an address is a text, several are an array of texts")
    func addresses() throws {
        let call = try Self.call(
            #"{"to":"Ana <a@b.org>","cc":["c@b.org","d@b.org"],"bcc":[],"reply_to":"r@b.org","subject":"ñ","html":"<p>"}"#
        )
        #expect(call.message.recipients == ["a@b.org", "c@b.org", "d@b.org"])
        #expect(call.message.to.first?.name == "Ana" && call.message.replyTo.map(\.spec) == ["r@b.org"])
        #expect(call.message.text == nil && call.message.html == "<p>" && call.message.subject == "ñ")
    }

    @Test(
        "what can be known before is refused with its definition",
        arguments: [
            ("{}", ["/to", "/subject", "/text"]), (#"{"to":[],"subject":"s","text":"t"}"#, ["/to"]),
            (#"{"to":"a@b.org, c@d.org","subject":"s","text":"t"}"#, ["/to"]),
            (#"{"to":["a@b.org",5],"subject":"s","text":"t"}"#, ["/to"]),
            (#"{"to":{"x":1},"subject":"s","text":"t"}"#, ["/to"]),
            (
                #"{"to":"a@b.org","cc":"é@b.org","bcc":"x","reply_to":"y","subject":"s","text":"t"}"#,
                [
                    "/cc", "/bcc", "/reply_to",
                ]
            ),
            (#"{"to":"a@b.org","subject":"s\r\nBcc: x@y.org","text":"t"}"#, ["/subject"]),
            (#"{"to":"a@b.org\r\nBcc: x@y.org","subject":"s","text":"t"}"#, ["/to"]),
            (#"{"to":"a@b.org","subject":"s","text":"t","from_name":"x\nBcc: x@y.org"}"#, ["/from_name"]),
            (#"{"to":"a@b.org","subject":5,"text":{}}"#, ["/subject", "/text"]),
            (#"{"to":"a@b.org","subject":"s","text":"t","from":"boss@b.org"}"#, ["/from"]),
            (#"{"to":"a@b.org","subject":"s","text":"t","headers":{}}"#, ["/headers"]),
        ]
    )
    func refused(input: String, pointers: [String]) throws {
        let definition = #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"notify.email","input":\#(input)}]}"#
        var reader = DefinitionReader(registry: .builtIn, from: .author)
        guard case .faults(let faults) = reader.read(try JSONDocument(parsing: definition).root, at: .root) else {
            Issue.record("it is taken")
            return
        }
        #expect(faults.map(\.pointer.text) == pointers.map { "/steps/0/input\($0)" })
    }

    @Test("what a template decides is judged when it is resolved, and is not repeated")
    func templates() throws {
        _ = try Fixtures.automation(
            steps: """
                {"action_key":"notify.email","input":{"to":["{{ signal.data.to }}","a@b.org"],"cc":"{{ signal.data.cc }}",
                 "subject":"{{ signal.data.subject }}","text":"{{ signal.data.text }}","from_name":"{{ signal.data.name }}"}}
                """
        )
        for input in [
            #"{"to":"geheim\r\nBcc: x@y.org","subject":"s","text":"t"}"#, #"{"to":"geheim","subject":"s","text":"t"}"#,
            #"{"to":"a@b.org","subject":"geheim\n","text":"t"}"#, #"{"to":"{{ geheim }}","subject":"s","text":"t"}"#,
            #"{"to":"a@b.org","subject":"s","text":"t","from_name":"geheim\r"}"#, "[]", "geheim",
        ] {
            let error = try #require(throws: StepError.self) { try Self.call(input) }
            #expect(error.code == "invalid_input" && !error.detail.contains("geheim"))
        }
    }

    @Test("50 addresses to a member, 100 to a message")
    func limits() throws {
        func list(_ count: Int) -> String { "[\((0..<count).map { #""a\#($0)@b.org""# }.joined(separator: ","))]" }
        func input(_ to: Int, _ cc: Int, _ bcc: Int) -> String {
            #"{"to":\#(list(to)),"cc":\#(list(cc)),"bcc":\#(list(bcc)),"subject":"s","text":"t"}"#
        }
        _ = try Self.call(input(50, 50, 0))
        for (to, cc, bcc) in [(51, 0, 0), (1, 51, 0), (50, 50, 1)] {
            #expect(throws: StepError.self) { try Self.call(input(to, cc, bcc)) }
        }
    }

    @Test("an attempt of unknown outcome is not simply repeated, unless the step says so")
    func idempotent() throws {
        func isIdempotent(_ more: String) throws -> Bool {
            let step =
                #"{"action_key":"notify.email"\#(more),"input":{"to":"a@b.org","subject":"s","text":"t"}}"#
            return try Fixtures.automation(steps: step).steps[0].isIdempotent
        }
        #expect(try !isIdempotent(""))
        #expect(try isIdempotent(#","idempotent":true"#))
    }

    @Test("a dry run says what it would send to how many, and an address that is a secret does not fail it")
    func simulation() throws {
        let automation = try Fixtures.automation(
            steps: """
                {"name":"mail","action_key":"notify.email","input":{"to":["{{ secret:one }}","Ana <{{ secret:two }}>","a@b.org"],
                 "cc":"{{ secret:three }}","subject":"{{ secret:four }}","text":"four","html":"<p>"}}
                """,
            #"{"name":"read","action_key":"data.transform","input":{"id":"{{ steps.mail.output.message_id }}"}}"#
        )
        var signal = try Fixtures.signal()
        signal.isForDryRun = true
        var machine = RunMachine(automation, signal: signal, runID: UUIDv7.make(), at: TestEngine.now)
        #expect(machine.resumed(at: TestEngine.now, mayAttempt: false) == .end)
        #expect(machine.record.status == .succeeded && machine.takeChange().started.isEmpty)
        let would = try machine.record.steps[0].simulation.map { try JSONValue(parsing: $0)["would"]?.stringValue }
        #expect(would == "Send a mail with a text of 4 bytes and HTML of 3 bytes to 4 recipients.")
        let output = try JSONValue(parsing: #require(machine.record.steps[0].output))
        #expect(output["accepted"]?.arrayValue?.count == 4)
        let stored = String(decoding: try #require(machine.record.steps[0].input), as: UTF8.self)
        #expect(stored.contains("Ana <{{ secret:two }}>"))
    }
}
