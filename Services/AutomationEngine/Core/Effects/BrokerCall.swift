import Domain
import FoundationEssentials
import JSON
import Messaging
import OutboundHTTP

/// The call of a registered action over the broker: one attempt of a step, as a message.
enum BrokerCall {
    static let type = "batuta.actions.call"
    static let version = 1
    /// The broker keeps no message for longer than that many milliseconds, and refuses one that asks for more.
    private static let maximumExpiration: Int64 = 4_294_967_295

    /// Puts an attempt into words.
    ///
    /// - Parameters:
    ///   - route: The way to the action's service.
    ///   - input: The step's input.
    ///   - record: The run.
    ///   - position: The step's position; it is its attempt.
    ///   - name: What its effects are known by outside.
    ///   - signingSecret: The text of the secret that signs; nil where nothing is signed.
    ///   - microseconds: Microseconds of Unix time, now.
    ///   - limit: How long the answer is waited for.
    /// - Returns: The message, which is published once at most.
    /// - Throws: What is wrong with the secret.
    static func message(
        to route: ActionRoute,
        input: [UInt8],
        of record: RunRecord,
        _ position: Int,
        named name: String,
        signingSecret: String?,
        at microseconds: Int64,
        within limit: Duration
    ) throws(StepError) -> OutgoingMessage {
        let step = record.steps[position]
        let body = RemoteCall.body(route.action, input: input, run: record.id, step: step)
        var headers: [String: HeaderValue] = [
            "x-schema-version": .int64(Int64(version)),
            "x-tenant": .string(record.tenant),
            "idempotency-key": .string(EffectPerformer.idempotencyKey(run: record.id, step: name)),
        ]
        if let traceparent = record.traceparent { headers["traceparent"] = .string(traceparent) }
        let seconds = microseconds / 1_000_000
        let signature = try WebhookCall.signature(
            of: body,
            run: record.id,
            step: name,
            at: seconds,
            secret: signingSecret
        )
        for header in signature { headers[header.name] = .string(header.value) }
        let attempt = AttemptName(run: record.id, position: Int32(position), attempt: Int32(step.attempt))
        var properties = MessageProperties(
            contentType: "application/json",
            messageID: UUIDv7.make().lowercased,
            correlationID: attempt.text,
            type: type,
            headers: headers
        )
        properties.replyTo = route.resultKey
        properties.timestamp = seconds
        properties.appID = "automation-engine"
        properties.userID = ServiceName.engine.brokerUser
        // A call that nobody waits for any more need not be carried out.
        let milliseconds = Int64(limit / .milliseconds(1))
        if milliseconds <= maximumExpiration { properties.expiration = String(max(1, milliseconds)) }
        var message = OutgoingMessage(
            exchange: Topology.actionsExchange,
            routingKey: route.callKey,
            properties: properties,
            body: body
        )
        message.isSentOnce = true
        return message
    }
}
