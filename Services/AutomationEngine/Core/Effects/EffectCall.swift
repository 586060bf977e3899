import Contracts
import FoundationEssentials

/// What an attempt of a step sends to the outside.
enum EffectCall: Sendable {
    case http(HTTPCall)
    case mail(MailCall)

    /// Reads a resolved input.
    ///
    /// - Parameters:
    ///   - step: Says which action it is.
    ///   - name: The step's name, or that of one of its items.
    ///   - input: RFC 8259 JSON.
    ///   - run: The run.
    /// - Throws: What is wrong with the input; it holds no value of it.
    init(
        of step: CompiledAutomation.Step,
        named name: String,
        _ input: [UInt8],
        run: UUID
    ) throws(StepError) {
        switch step.action {
        case .builtIn(.email):
            self = .mail(try MailCall(input))
        case .builtIn(.webhook):
            let seconds = Timestamp.now().microseconds / 1_000_000
            self = .http(try WebhookCall(input).request(run: run, step: name, at: seconds))
        case .builtIn(.http):
            let key = EffectPerformer.idempotencyKey(run: run, step: name)
            self = .http(try HTTPCall(input, idempotencyKey: key))
        case .builtIn(.transform), .builtIn(.emit), .builtIn(.delay), .builtIn(.approval), .builtIn(.waitForSignal),
            .builtIn(.run), .remote:
            throw .notExecutable("The step's action is not carried out by a call like this.")
        }
    }
}
