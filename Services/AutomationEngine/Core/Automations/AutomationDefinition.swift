import Domain
import EventPattern
import JSON
import Templates

/// What an automation does: when it starts, and its steps.
struct AutomationDefinition: Sendable {
    /// What becomes of a run when a step has failed for good.
    enum OnError: Equatable, Sendable {
        case fail
        case `continue`
        /// The failure branch at this place of ``AutomationDefinition/branches`` is executed in the place of what is left.
        case branch(Int)
    }

    /// One step for each of several values.
    struct ForEach: Sendable {
        /// Resolves to an array.
        var items: Template
        /// How many items are in hand at once at most.
        var concurrency = 1
        /// A longer array fails the step.
        var maximumItems = Self.standardMaximumItems

        static let standardMaximumItems = 100
    }

    /// Steps that are executed because one has failed.
    struct Branch: Sendable {
        var name: String
        /// Whether the run has succeeded where all of them have.
        var recovers = false
    }

    /// One step, as the definition states it.
    struct Step: Sendable {
        var name: String
        var action: StepAction
        var input: Template
        var when: EventPattern?
        var retry: RetryPolicy?
        var timeout: Duration?
        var onError = OnError.fail
        /// Whether an attempt of unknown outcome may simply be repeated.
        var isIdempotent = false
        /// The positions of the steps that end before this one begins.
        var needs: [Int] = []
        var forEach: ForEach?
        /// The place of the branch that it belongs to; nil for the steps of the automation itself.
        var branch: Int?
        /// The signals that its run listens for from its start on; nil where it waits for none.
        var listens: SignalShape?
    }

    var trigger: SignalTrigger
    /// A pattern over the whole event.
    var filter: EventPattern?
    /// The steps of the automation, and after them those of its branches; a step needs only ones before it.
    var steps: [Step]
    var branches: [Branch] = []
    /// Which of its runs may begin, and when.
    var admission = AdmissionPolicy()

    /// The names of the registered actions among those of its steps.
    var registeredActions: Set<String> {
        Set(
            steps.compactMap { step in
                if case .remote(let action) = step.action { action.key } else { nil }
            }
        )
    }
}

/// One fault of a definition.
struct DefinitionFault: Equatable, Sendable {
    /// Where it lies, from the root of the request's body.
    var pointer: JSONPointer
    /// A stable code.
    var code: String
    /// A sentence for people.
    var detail: String

    /// A place names a secret that does not exist.
    static func unknownSecret(_ name: String, at pointer: JSONPointer) -> DefinitionFault {
        DefinitionFault(
            pointer: pointer,
            code: "unknown_secret",
            detail: "There is no secret \"\(name)\"; PUT /admin/api/secrets/\(name) sets it."
        )
    }
}
