import Domain
import FoundationEssentials
import JSON
import OutboundHTTP
import Secrets

/// What a step of `notify.webhook` asks for: its input, resolved and checked.
struct WebhookCall: Sendable {
    static let members: Set<String> = ["url", "payload", "headers", "secret"]

    let url: OutboundURL
    /// The payload as JSON.
    let body: [UInt8]
    private let headers: [OutboundRequest.Header]
    /// What signs the message, as Standard Webhooks has it; nil where it is not signed.
    private let secret: String?

    var isSigned: Bool { secret != nil }

    /// Reads a resolved input.
    ///
    /// - Parameter input: RFC 8259 JSON.
    /// - Throws: What is wrong with the input; it holds no value of it.
    init(_ input: [UInt8]) throws(StepError) {
        guard let root = try? JSONDocument(parsing: input, limits: .wrapped).root else {
            throw StepError(code: "invalid_input", detail: "The input is not JSON.")
        }
        try Self.faults(of: root, isResolved: true).refuse()
        do throws(OutboundError) {
            url = try OutboundURL(root["url"]?.stringValue ?? "")
        } catch {
            throw StepError(error)
        }
        body = root["payload"].map { Array($0.rawBytes) } ?? []
        headers = root["headers"]?.members.map { OutboundRequest.Header($0.key, $0.value.stringValue ?? "") } ?? []
        secret = root["secret"]?.stringValue
    }

    /// The request of one attempt.
    ///
    /// - Parameters:
    ///   - run: The run.
    ///   - step: The name of the step, or of its item.
    ///   - seconds: Seconds of Unix time, which the signature holds.
    /// - Returns: A POST with the headers of Standard Webhooks.
    /// - Throws: What is wrong with the secret.
    func request(run: UUID, step: String, at seconds: Int64) throws(StepError) -> HTTPCall {
        var headers = headers
        headers.append(OutboundRequest.Header("Content-Type", "application/json"))
        headers += try Self.signature(of: body, run: run, step: step, at: seconds, secret: secret)
        return HTTPCall(
            method: .post,
            url: url,
            headers: headers,
            body: body,
            idempotencyKey: EffectPerformer.idempotencyKey(run: run, step: step)
        )
    }

    /// The headers of Standard Webhooks for a message of a step; the last one only where a secret signs it.
    static func signature(
        of body: [UInt8],
        run: UUID,
        step: String,
        at seconds: Int64,
        secret: String?
    ) throws(StepError) -> [OutboundRequest.Header] {
        // The same for every attempt. No full stop may stand in it.
        let id = "\(run.lowercased)_\(step.replacing(".", with: ":"))"
        let headers = [
            OutboundRequest.Header(StandardWebhooks.idHeader, id),
            OutboundRequest.Header(StandardWebhooks.timestampHeader, String(seconds)),
        ]
        guard let secret else {
            return headers
        }
        do throws(SecretsError) {
            let signer = try StandardWebhooksSigner(secrets: [Secret(secret)])
            let signature = try signer.sign(id: id, timestamp: seconds, body: body[...])
            return headers + [OutboundRequest.Header(StandardWebhooks.signatureHeader, signature)]
        } catch {
            throw StepError(
                code: "invalid_input",
                detail: "secret: It has to be whsec_ and the base64 of 24 to 64 bytes."
            )
        }
    }

    /// What is wrong with an input; what templates decide is left out unless they are resolved.
    static func faults(of input: JSONView?, isResolved: Bool = false) -> [InputFault] {
        guard let input, input.kind == .object else {
            return [InputFault(member: "url", code: "required", detail: "notify.webhook needs a url and a payload.")]
        }
        // The rules of url and headers are those of http.request.
        var faults = HTTPCall.faults(of: input, isResolved: isResolved).filter {
            ["url", "headers"].contains($0.member)
        }
        let own = [StandardWebhooks.idHeader, StandardWebhooks.timestampHeader, StandardWebhooks.signatureHeader]
        if let name = input["headers"]?.members.map({ $0.key.lowercased() }).first(where: {
            own.contains($0) || $0 == "content-type"
        }) {
            faults.append(
                InputFault(member: "headers", code: "invalid_value", detail: "notify.webhook sets \(name) itself.")
            )
        }
        if input["payload"] == nil {
            faults.append(InputFault(member: "payload", code: "required", detail: "notify.webhook needs a payload."))
        }
        if let secret = input["secret"], secret.stringValue?.isEmpty ?? true {
            faults.append(
                InputFault(
                    member: "secret",
                    code: "invalid_type",
                    detail: "The secret is a text, usually {{ secret:name }}."
                )
            )
        }
        return faults
    }
}
