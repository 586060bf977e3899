import Domain
import FoundationEssentials
import JSON
import OutboundHTTP
import Secrets

/// The call of a registered action: one attempt of a step, as a request.
struct RemoteCall: Sendable {
    /// The headers that the engine sets itself.
    static let ownHeaders: Set<String> = [
        "content-type", "idempotency-key", StandardWebhooks.idHeader, StandardWebhooks.timestampHeader,
        StandardWebhooks.signatureHeader,
    ]

    let url: OutboundURL
    let headers: [OutboundRequest.Header]
    let body: [UInt8]
    /// The names of headers that hold secrets, in lower case.
    let secretHeaders: Set<String>

    /// Puts an attempt into words.
    ///
    /// - Parameters:
    ///   - key: The action's key.
    ///   - endpoint: Where it is called, as it is registered now.
    ///   - input: The step's input, with its secrets.
    ///   - fields: The endpoint, with its secrets.
    ///   - signingSecret: The text of the secret that signs; nil where nothing is signed.
    ///   - run: The run.
    ///   - step: The step, whose attempt it is.
    ///   - name: What its effects are known by outside.
    ///   - seconds: Seconds of Unix time, which the signature holds.
    /// - Throws: What is wrong with a secret.
    init(
        _ key: String,
        at endpoint: HTTPEndpoint,
        input: [UInt8],
        fields: JSONView,
        signingSecret: String?,
        run: UUID,
        step: RunRecord.Step,
        named name: String,
        at seconds: Int64
    ) throws(StepError) {
        url = endpoint.url
        body = Self.body(key, input: input, run: run, step: step)
        var headers =
            fields["headers"]?.members.map { OutboundRequest.Header($0.key, $0.value.stringValue ?? "") } ?? []
        secretHeaders = Set(headers.map { $0.name.lowercased() } + ["authorization"])
        if let authorization = fields["authorization"]?.stringValue {
            headers.append(OutboundRequest.Header("Authorization", authorization))
        }
        headers.append(OutboundRequest.Header("Content-Type", "application/json"))
        headers.append(
            OutboundRequest.Header("Idempotency-Key", EffectPerformer.idempotencyKey(run: run, step: name))
        )
        headers += try WebhookCall.signature(of: body, run: run, step: name, at: seconds, secret: signingSecret)
        self.headers = headers
    }

    /// What a service is told of the attempt, as JSON.
    static func body(_ key: String, input: [UInt8], run: UUID, step: RunRecord.Step) -> [UInt8] {
        var writer = JSONWriter(capacity: input.count + 256)
        writer.beginObject()
        writer.member("action", key)
        writer.member("input", raw: input)
        writer.member("run_id", run.lowercased)
        writer.member("step", step.name)
        writer.member("attempt", Int64(step.attempt))
        writer.member("dry_run", false)
        writer.endObject()
        return writer.bytes
    }
}
