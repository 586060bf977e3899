import Domain
import FoundationEssentials
import JSON
import Messaging
import Secrets
import Testing

@testable import AutomationEngineCore

/// Calls over the broker and their answers, as messages.
@Suite("Messages of actions over the broker")
struct ActionAnswerTests {
    private static let run = "01a1fc06-9963-7d5b-8f6d-6df8d17a16c7"

    private func answer(
        _ body: String,
        key: String = "result.acme.student.level",
        correlation: String? = "\(run).0.1",
        exchange: String = "batuta.actions"
    ) throws -> ActionAnswer {
        try ActionAnswer(
            Delivery(
                token: Delivery.Token(epoch: 1, tag: 1),
                exchange: exchange,
                routingKey: key,
                isRedelivered: false,
                properties: MessageProperties(correlationID: correlation),
                body: Array(body.utf8)
            )
        )
    }

    private static let done = #"{"status":"succeeded","output":{"n":1.50},"more":true}"#

    @Test("an answer is read, and kept without what nobody asked for")
    func read() throws {
        let answer = try answer(Self.done)
        #expect(answer.route.tenant.key == "acme" && answer.route.action == "student.level")
        #expect(answer.attempt.text == "\(Self.run).0.1")
        #expect(answer.outcome == Array(#"{"status":"succeeded","output":{"n":1.50}}"#.utf8))
        let failed = try self.answer(
            #"{"status":"failed","error":{"detail":"\#(String(repeating: "é", count: 5_000))"},"retry_after":"2m"}"#
        )
        let outcome = ActionAnswer.outcome(failed.outcome, under: nil)
        guard case .failed(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.error.code == "action_failed" && failure.error.detail.utf8.count == 2_048)
        #expect(!failure.isRetryable && failure.retryAfter == .seconds(120))
    }

    @Test("an output that is too long or nested too deep fails the attempt, since the service has answered")
    func limits() throws {
        func code(_ output: String) throws -> String? {
            let answer = try answer(#"{"status":"succeeded","output":\#(output)}"#)
            return ActionAnswer.outcome(answer.outcome, under: nil).error?.code
        }
        #expect(try code(#""\#(String(repeating: "a", count: ActionAnswer.maximumBytes))""#) == "output_too_large")
        let depth = JSONLimits.standard.maximumDepth
        #expect(try code(String(repeating: "[", count: depth) + String(repeating: "]", count: depth)) == nil)
        #expect(
            try code(String(repeating: "[", count: depth + 1) + String(repeating: "]", count: depth + 1))
                == "invalid_output"
        )
    }

    @Test(
        "what is no answer lies in the data",
        arguments: [
            "", "null", "[]", "{}", "{", #"{"status":"done"}"#, #"{"status":"failed"}"#,
            #"{"status":"failed","error":{"code":"c"}}"#, #"{"status":"failed","error":{"code":1,"detail":"d"}}"#,
            #"{"status":"failed","error":{"code":"","detail":"d"}}"#,
            #"{"status":"failed","error":{"detail":"d"},"retryable":"yes"}"#,
            #"{"status":"failed","error":{"detail":"d"},"retry_after":10}"#,
            "{\"status\":\"succeeded\",\"output\":\"\0\"}",
        ]
    )
    func unreadable(body: String) throws {
        let error = #expect(throws: UnreadableDelivery.self) { try answer(body) }
        #expect(error.map { SignalIntake.classify($0) } == .data)
    }

    @Test(
        "a name that is not exactly an attempt's is none",
        arguments: [
            "", "0.1", "\(run).0", "\(run).0.1.2", "\(run).+0.1", "\(run).0.01", "\(run).-1.1", "\(run).0.0",
            "\(run).0.99999999999", "\(run.uppercased()).0.1", "x.0.1",
        ]
    )
    func names(text: String) {
        #expect(AttemptName(text) == nil)
        #expect(throws: UnreadableDelivery.self) { try answer(Self.done, correlation: text) }
    }

    @Test("the way of an answer is the exchange of actions and the key of one")
    func ways() {
        #expect(throws: UnreadableDelivery.self) { try answer(Self.done, correlation: nil) }
        #expect(throws: UnreadableDelivery.self) { try answer(Self.done, exchange: "") }
        #expect(throws: UnreadableDelivery.self) { try answer(Self.done, key: "call.acme.student.level") }
        #expect(throws: UnreadableDelivery.self) { try answer(Self.done, key: "result.acme.level") }
    }

    @Test("a call says what it is, is signed, is published once at most, and goes when nobody waits for it any more")
    func calls() throws {
        let automation = try Fixtures.automation(steps: #"{"name":"level","action_key":"student.level"}"#)
        var machine = RunMachine(automation, signal: try Fixtures.signal(), runID: UUIDv7.make(), at: 1)
        _ = machine.resumed(at: 1)
        let tenant = try #require(Tenant("acme"))
        let route = try #require(ActionRoute(tenant: tenant, action: "student.level"))
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        func call(_ limit: Duration, secret: String? = nil) throws -> OutgoingMessage {
            try BrokerCall.message(
                to: route,
                input: Array(#"{"id":7}"#.utf8),
                of: machine.record,
                0,
                named: "level",
                signingSecret: secret,
                at: 1_763_688_555_123_456,
                within: limit
            )
        }
        let message = try call(.seconds(5), secret: secret)
        let run = machine.record.id.lowercased
        #expect(message.exchange == "batuta.actions" && message.routingKey == "call.acme.student.level")
        #expect(message.isMandatory && message.isSentOnce && message.properties.isPersistent)
        #expect(message.properties.correlationID == "\(run).0.1" && message.properties.type == "batuta.actions.call")
        #expect(message.properties.replyTo == "result.acme.student.level" && message.properties.expiration == "5000")
        #expect(message.properties.userID == "batuta_engine")
        #expect(message.properties.headers["idempotency-key"] == .string("\(run).level"))
        #expect(message.properties.headers["x-tenant"] == "acme" && message.properties.headers["traceparent"] != nil)
        let signer = try StandardWebhooksSigner(secrets: [Secret(secret)])
        let signature = try signer.sign(id: "\(run)_level", timestamp: 1_763_688_555, body: message.body[...])
        #expect(message.properties.headers["webhook-signature"] == .string(signature))
        let body = try JSONValue(parsing: message.body)
        #expect(body["input"]?["id"]?.int64Value == 7 && body["attempt"]?.int64Value == 1)
        #expect(body["step"]?.stringValue == "level" && body["dry_run"]?.boolValue == false)
        #expect(try call(.zero).properties.expiration == "1")
        #expect(try call(.seconds(366 * 86_400)).properties.expiration == nil, "the broker knows no time that long")
        #expect(throws: StepError.self) { try call(.seconds(5), secret: "short") }
    }
}
