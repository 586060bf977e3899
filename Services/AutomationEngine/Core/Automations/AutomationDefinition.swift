import Domain
import JSON

/// What an automation does: when it starts, and its steps.
struct AutomationDefinition: Sendable {
    /// One step, as the definition states it.
    struct Step: Sendable {
        var name: String
        var actionKey: String
        /// Canonical bytes.
        var input: [UInt8]
    }

    var trigger: SignalTrigger
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
