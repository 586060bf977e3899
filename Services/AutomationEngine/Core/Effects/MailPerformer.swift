import JSON
import Mail

/// Makes the attempts of `notify.email`.
struct MailPerformer: Sendable {
    /// Nil where no relay is configured.
    let client: MailClient?

    /// Submits a message.
    ///
    /// - Parameters:
    ///   - call: What the step asks for.
    ///   - key: The same for every attempt; receivers know a repetition by it.
    ///   - mask: Takes the secrets of the input out of what is answered.
    ///   - deadline: When the attempt must be over.
    /// - Returns: What is known afterwards.
    func perform(
        _ call: MailCall,
        key: String,
        _ mask: SecretMask,
        _ deadline: ContinuousClock.Instant
    ) async -> AttemptOutcome {
        guard let client else {
            return .failed(AttemptOutcome.Failure(error: Self.notConfigured, isRetryable: false))
        }
        var message = call.message
        message.key = key
        do throws(MailError) {
            try await client.send(message, deadline: deadline)
            let id = message.id(from: client.relay.sender)
            return .succeeded(output: mask.masking(Self.output(id: id, accepted: message.recipients)))
        } catch {
            return Self.outcome(of: error, mask)
        }
    }

    /// `{accepted, message_id}`, in the order of the canonical form.
    static func output(id: String, accepted: [String]) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        writer.beginObject()
        writer.key("accepted")
        writer.beginArray()
        for recipient in accepted { writer.string(recipient) }
        writer.endArray()
        writer.member("message_id", id)
        writer.endObject()
        return writer.bytes
    }

    private static func outcome(of error: MailError, _ mask: SecretMask) -> AttemptOutcome {
        var failure = StepError(code: error.code.rawValue, detail: mask.masking(error.message))
        if let reply = error.reply { failure.members["status"] = .number(Int64(reply.status)) }
        guard error.outcome == .unknown else {
            return .failed(AttemptOutcome.Failure(error: failure, isRetryable: error.isRetryable))
        }
        return .unknown(failure)
    }

    private static let notConfigured = StepError(
        code: "mail_not_configured",
        detail: "The engine has no mail relay: BATUTA_SMTP_URL names it, and BATUTA_SMTP_FROM whom mails are from."
    )
}
