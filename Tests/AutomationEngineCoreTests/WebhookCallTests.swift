import Domain
import JSON
import OutboundHTTP
import Secrets
import Testing

@testable import AutomationEngineCore

/// `notify.webhook`: messages, signed and not.
@Suite struct WebhookCallTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    @Test("a signed message is what its receiver verifies, with an id that stays the same")
    func signed() throws {
        let input = #"{"url":"https://example.com/in","payload":{"text":"ñ"},"secret":"\#(Self.secret)"}"#
        let run = UUIDv7.make()
        let call = try WebhookCall(Array(input.utf8)).request(run: run, step: "tell", at: 1_763_688_555)
        let headers = Dictionary(uniqueKeysWithValues: call.headers.map { ($0.name.lowercased(), $0.value) })
        #expect(call.method == .post && call.body == Array(#"{"text":"ñ"}"#.utf8))
        #expect(headers["webhook-id"] == "\(run.lowercased)_tell")
        #expect(headers["idempotency-key"] == "\(run.lowercased).tell")
        #expect(headers["content-type"] == "application/json")
        let verdict = try StandardWebhooksVerifier(keys: [Secret(Self.secret)]).verify(
            id: [try #require(headers["webhook-id"])],
            timestamp: [try #require(headers["webhook-timestamp"])],
            signature: [try #require(headers["webhook-signature"])],
            body: call.body[...],
            now: 1_763_688_556
        )
        #expect(verdict == .valid)
        let again = try WebhookCall(Array(input.utf8)).request(run: run, step: "tell", at: 1_763_688_600)
        #expect(again.headers.first { $0.name == "webhook-id" }?.value == headers["webhook-id"])
        #expect(again.headers.first { $0.name == "webhook-signature" }?.value != headers["webhook-signature"])
    }

    @Test("without a secret nothing is signed, and the payload may be any JSON")
    func plain() throws {
        let input = #"{"url":"https://example.com/in","payload":"text","headers":{"X-Note":"1"}}"#
        let call = try WebhookCall(Array(input.utf8)).request(run: UUIDv7.make(), step: "tell", at: 1)
        #expect(call.body == Array(#""text""#.utf8))
        #expect(!call.headers.contains { $0.name == "webhook-signature" })
        #expect(call.headers.contains { $0.name == "X-Note" && $0.value == "1" })
    }

    @Test("a secret that cannot sign fails the attempt, without repeating it")
    func badSecret() throws {
        let call = try WebhookCall(Array(#"{"url":"https://example.com/","payload":1,"secret":"hunter2"}"#.utf8))
        let error = try #require(throws: StepError.self) { try call.request(run: UUIDv7.make(), step: "tell", at: 1) }
        #expect(error.code == "invalid_input" && !error.detail.contains("hunter2"))
    }

    @Test(
        "what can be known before is refused with its definition",
        arguments: [
            ("{}", ["/url", "/payload"]), (#"{"url":"ftp://x","payload":1}"#, ["/url"]),
            (#"{"url":"https://x.org","payload":1,"secret":5}"#, ["/secret"]),
            (#"{"url":"https://x.org","payload":1,"headers":{"Webhook-Id":"1"}}"#, ["/headers"]),
            (#"{"url":"https://x.org","payload":1,"headers":{"content-type":"text/plain"}}"#, ["/headers"]),
            (#"{"url":"https://x.org","payload":1,"body":2}"#, ["/body"]),
        ]
    )
    func refused(input: String, pointers: [String]) throws {
        let definition =
            #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"notify.webhook","input":\#(input)}]}"#
        var reader = DefinitionReader(registry: .builtIn, from: .author)
        guard case .faults(let faults) = reader.read(try JSONDocument(parsing: definition).root, at: .root) else {
            Issue.record("it is taken")
            return
        }
        #expect(faults.map(\.pointer.text) == pointers.map { "/steps/0/input\($0)" })
    }

    @Test("only a signed message may simply be sent once more")
    func idempotent() throws {
        func isIdempotent(_ more: String) throws -> Bool {
            let step =
                #"{"action_key":"notify.webhook","input":{"url":"https://x.org","payload":1\#(more)}}"#
            return try Fixtures.automation(steps: step).steps[0].isIdempotent
        }
        #expect(try !isIdempotent(""))
        #expect(try isIdempotent(#","secret":"{{ secret:key }}""#))
    }
}
