import Crypto
import Domain
import EventPattern
import FoundationEssentials
import JSON
import Templates

/// One version of an automation, ready to execute.
struct CompiledAutomation: Sendable {
    /// A step with everything that can be worked out beforehand.
    struct Step: Sendable {
        var name: String
        var action: BuiltInAction
        var input: Template
        /// SHA-256 of an input that is the same in every run, in hex.
        var constantInputHash: String?
        var when: EventPattern?
        var retry: RetryPolicy
        /// How long one attempt may take.
        var timeout: Duration
        var onError: AutomationDefinition.OnError
        /// Whether an attempt of unknown outcome may simply be repeated.
        var isIdempotent: Bool
    }

    var id: UUID
    var tenant: String
    var key: String
    var name: String
    var version: Int
    var trigger: SignalTrigger
    var filter: EventPattern?
    var steps: [Step]
    /// Whether a step reaches outside the engine.
    var hasEffects: Bool

    init(id: UUID, tenant: String, key: String, name: String, version: Int, definition: AutomationDefinition) {
        self.id = id
        self.tenant = tenant
        self.key = key
        self.name = name
        self.version = version
        trigger = definition.trigger
        filter = definition.filter
        steps = definition.steps.map { step in
            Step(
                name: step.name,
                action: step.action,
                input: step.input,
                constantInputHash: step.input.constant.map { SHA256.hash(data: $0).hex },
                when: step.when,
                retry: step.retry ?? step.action.standardRetry,
                timeout: step.timeout ?? BuiltInAction.standardTimeout,
                onError: step.onError,
                isIdempotent: step.isIdempotent
            )
        }
        hasEffects = steps.contains(where: \.action.hasEffect)
    }
}
