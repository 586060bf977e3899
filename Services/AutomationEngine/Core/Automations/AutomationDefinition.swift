import Domain
import EventPattern
import JSON
import Templates

/// What an automation does: when it starts, and its steps.
struct AutomationDefinition: Sendable {
    /// What becomes of a run when a step has failed for good.
    enum OnError: String, CaseIterable, Sendable {
        case fail
        case `continue`
    }

    /// One step, as the definition states it.
    struct Step: Sendable {
        var name: String
        var action: BuiltInAction
        var input: Template
        var when: EventPattern?
        var retry: RetryPolicy?
        var timeout: Duration?
        var onError = OnError.fail
        /// Whether an attempt of unknown outcome may simply be repeated.
        var isIdempotent = false
    }

    var trigger: SignalTrigger
    /// A pattern over the whole event.
    var filter: EventPattern?
    var steps: [Step]
}

/// One fault of a definition.
struct DefinitionFault: Equatable, Sendable {
    /// Where it lies, from the root of the request's body.
    var pointer: JSONPointer
    /// A stable code.
    var code: String
    /// A sentence for people.
    var detail: String
}
