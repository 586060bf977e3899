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
        var action: StepAction
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
        /// The positions of the steps that end before this one begins.
        var needs: [Int]
        /// The positions of all steps that have ended when this one begins, and that it may read.
        var ancestors: Set<Int>
        var forEach: AutomationDefinition.ForEach?
        /// The place of the branch that it belongs to; nil for the steps of the automation itself.
        var branch: Int?
        /// The signals that its run listens for from its start on; nil where it waits for none.
        var listens: SignalShape?
    }

    var id: UUID
    var tenant: String
    var key: String
    var name: String
    var version: Int
    var trigger: SignalTrigger
    var filter: EventPattern?
    /// The steps of the automation, and after them those of its branches.
    var steps: [Step]
    var branches: [AutomationDefinition.Branch]
    /// Whether a step waits for a signal.
    var listens: Bool
    /// Whether a step reaches outside the engine.
    var hasEffects: Bool
    /// Which of its runs may begin, and when.
    var admission: AdmissionPolicy
    /// Whether its runs wait.
    var isPaused = false

    /// Whether its runs may not all simply begin.
    var isLimited: Bool { isPaused || !admission.isEmpty }

    init(id: UUID, tenant: String, key: String, name: String, version: Int, definition: AutomationDefinition) {
        self.id = id
        self.tenant = tenant
        self.key = key
        self.name = name
        self.version = version
        trigger = definition.trigger
        filter = definition.filter
        branches = definition.branches
        let ancestors = Self.ancestors(of: definition.steps)
        steps = definition.steps.enumerated().map { position, step in
            Step(
                name: step.name,
                action: step.action,
                input: step.input,
                constantInputHash: step.input.constant.map { SHA256.hash(data: $0).hex },
                when: step.when,
                retry: step.retry ?? step.action.standardRetry,
                timeout: step.timeout ?? step.action.standardTimeout,
                onError: step.onError,
                isIdempotent: step.isIdempotent,
                needs: step.needs,
                ancestors: ancestors[position],
                forEach: step.forEach,
                branch: step.branch,
                listens: step.listens
            )
        }
        listens = steps.contains { $0.listens != nil }
        hasEffects = steps.contains(where: \.action.hasEffect)
        admission = definition.admission
    }

    /// For each step those that it needs, and those that these need; a step of a branch comes after all of the automation.
    private static func ancestors(of steps: [AutomationDefinition.Step]) -> [Set<Int>] {
        let main = Set(steps.indices.filter { steps[$0].branch == nil })
        var ancestors: [Set<Int>] = []
        for step in steps {
            ancestors.append(
                step.needs.reduce(into: step.branch == nil ? [] : main) { known, needed in
                    known.formUnion(ancestors[needed])
                    known.insert(needed)
                }
            )
        }
        return ancestors
    }
}
