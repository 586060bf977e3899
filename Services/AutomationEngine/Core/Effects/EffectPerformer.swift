import Domain
import FoundationEssentials
import JSON
import Messaging
import OutboundHTTP
import Templates

/// Makes the attempts of steps that reach outside the engine, and tells what is known of them afterwards.
struct EffectPerformer: Sendable {
    /// How much of a refusing answer stands in the step's error, in bytes.
    static let maximumExcerpt = 2_048

    let client: OutboundClient
    var mail = MailPerformer(client: nil)
    let secrets: SecretStore
    /// What calls over the broker are sent with; nil where there are none.
    var publisher: RabbitMQPublisher?

    /// Makes an attempt, which is recorded.
    ///
    /// - Parameters:
    ///   - machine: The run.
    ///   - position: The step's position.
    ///   - isHeld: Whether the run is certainly still this replica's; asked right before anything is sent.
    /// - Returns: What is known afterwards.
    func perform(_ machine: RunMachine, _ position: Int, while isHeld: @Sendable () -> Bool) async -> AttemptOutcome {
        let step = machine.definition(at: position)
        let name = machine.effectName(at: position)
        if case .remote(let action) = step.action {
            return await call(action, machine, position, while: isHeld)
        }
        let deadline = ContinuousClock.now + step.timeout
        do throws(StepError) {
            let texts = try await secrets.texts(
                step.input.secretNames,
                tenant: machine.record.tenant,
                deadline: deadline
            )
            let input = try RunContext(machine, position).resolve(step.input, secrets: texts)
            let call = try EffectCall(of: step, named: name, input.value, run: machine.record.id)
            guard isHeld() else {
                return .notMade(.leaseLost)
            }
            switch call {
            case .http(let call): return await send(call, input, texts, deadline)
            case .mail(let call):
                let key = Self.idempotencyKey(run: machine.record.id, step: name)
                return await mail.perform(call, key: key, SecretMask(texts.values), deadline)
            }
        } catch {
            return .failed(AttemptOutcome.Failure(error: error, isRetryable: error.code == SecretStore.unavailable))
        }
    }

    /// The same for every attempt of a step, or of one of its items, of a run, and for no other.
    static func idempotencyKey(run: UUID, step: String) -> String { "\(run.lowercased).\(step)" }

    private func send(
        _ call: HTTPCall,
        _ input: ResolvedInput,
        _ texts: [String: String],
        _ deadline: ContinuousClock.Instant
    ) async -> AttemptOutcome {
        let mask = SecretMask(texts.values)
        do throws(OutboundError) {
            let request = try OutboundRequest(
                method: call.method,
                url: call.url,
                headers: call.headers,
                body: call.body,
                // Which header holds a secret shows in the form without them.
                sensitiveHeaders: Self.secretHeaders(input),
                // A redirect may take the body elsewhere, so one that holds a secret goes to one place only.
                redirects: call.followsRedirects && !Self.hasSecretBody(input)
                    ? .follow(max: HTTPCall.maximumRedirects) : .refuse
            )
            return Self.outcome(of: try await client.send(request, deadline: deadline), of: call, mask)
        } catch {
            return Self.outcome(of: error, mask)
        }
    }

    private static func hasSecretBody(_ input: ResolvedInput) -> Bool {
        guard input.value != input.redacted,
            let value = try? JSONDocument(parsing: input.value, limits: .wrapped).root["body"],
            let redacted = try? JSONDocument(parsing: input.redacted, limits: .wrapped).root["body"]
        else {
            return false
        }
        return value.rawBytes != redacted.rawBytes
    }

    private static func secretHeaders(_ input: ResolvedInput) -> Set<String> {
        guard input.value != input.redacted,
            let value = try? JSONDocument(parsing: input.value, limits: .wrapped).root["headers"],
            let redacted = try? JSONDocument(parsing: input.redacted, limits: .wrapped).root["headers"]
        else {
            return []
        }
        return Set(
            value.members.filter { $0.value.stringValue != redacted[$0.key]?.stringValue }.map { $0.key.lowercased() }
        )
    }
}

// MARK: - What is known afterwards

extension EffectPerformer {
    static func outcome(of error: OutboundError, _ mask: SecretMask) -> AttemptOutcome {
        var failure = StepError(error)
        failure.detail = mask.masking(failure.detail)
        guard error.outcome == .unknown else {
            return .failed(AttemptOutcome.Failure(error: failure, isRetryable: error.isRetryable))
        }
        // The server has answered; only what it answered is lost.
        if error.code == .responseTooLarge {
            return .failed(AttemptOutcome.Failure(error: failure, isRetryable: false))
        }
        return .unknown(failure)
    }

    private static func outcome(of response: OutboundResponse, of call: HTTPCall, _ mask: SecretMask) -> AttemptOutcome
    {
        guard !call.isExpected(response.status) else {
            return .succeeded(output: output(of: response, mask))
        }
        return refusal(response, mask)
    }

    /// What an answer says of the effect that is no success.
    static func refusal(_ response: OutboundResponse, _ mask: SecretMask) -> AttemptOutcome {
        let body = mask.masking(response.body).prefix(maximumExcerpt)
        let error = StepError(
            code: "http_status",
            detail: "The answer was \(response.status).",
            members: [
                "status": .number(Int64(response.status)), "body": .string(String(decoding: body, as: UTF8.self)),
            ]
        )
        switch response.status {
        case 429, 503:
            // The server says that it did nothing.
            return .failed(
                AttemptOutcome.Failure(error: error, isRetryable: true, retryAfter: retryAfter(response.headers))
            )
        case 500...:
            return .unknown(error)
        default:
            return .failed(AttemptOutcome.Failure(error: error, isRetryable: false))
        }
    }

    /// `{status, headers, body}`: the body as JSON where it is, else as text, else in base64.
    private static func output(of response: OutboundResponse, _ mask: SecretMask) -> [UInt8] {
        var writer = JSONWriter(capacity: response.body.count + 512)
        writer.beginObject()
        writer.key("body")
        let body = mask.masking(response.body)
        let isJSON = response.headers["content-type"].map(isJSONType) ?? false
        if isJSON, (try? JSONDocument(parsing: body)) != nil {
            writer.raw(body)
        } else if let text = String(validating: body, as: UTF8.self) {
            writer.string(text)
        } else {
            writer.beginObject()
            writer.member("base64", Data(body).base64EncodedString())
            writer.endObject()
        }
        writer.key("headers")
        writer.beginObject()
        for (name, value) in response.headers.sorted(by: { $0.key < $1.key }) {
            writer.member(name, mask.masking(value))
        }
        writer.endObject()
        writer.member("status", Int64(response.status))
        writer.endObject()
        return writer.bytes
    }

    private static func isJSONType(_ type: String) -> Bool {
        let essence = type.lowercased().prefix { $0 != ";" }.filter { $0 != " " }
        return essence == "application/json" || essence.hasSuffix("+json")
    }

    /// The seconds that a server asks to wait; a date is left to the step's own delay.
    private static func retryAfter(_ headers: [String: String]) -> Duration? {
        headers["retry-after"].flatMap { Int64($0) }.flatMap { (0...86_400).contains($0) ? .seconds($0) : nil }
    }
}
