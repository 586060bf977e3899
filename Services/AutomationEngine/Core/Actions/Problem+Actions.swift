import Contracts
import JSON

extension Problem {
    /// There is no such action, or it was withdrawn.
    static var actionNotFound: Problem {
        Problem(.notFound, "There is no such action.", detailES: "No existe esa acción.")
    }

    /// What is registered as an action has faults: all of them at once.
    static func registration(_ faults: [DefinitionFault]) -> Problem {
        Problem(
            .invalidContent,
            "The action is not valid.",
            detailES: "La acción no es válida.",
            errors: faults.map { Problem.Detail(pointer: $0.pointer.text, code: $0.code, detail: $0.detail) }
        )
    }

    /// Active automations need the action as it is.
    ///
    /// - Parameter users: Each with the reason why it would break; the first twenty are named.
    /// - Returns: A refusal.
    static func actionInUse(_ users: [BreakingAutomation]) -> Problem {
        let keys = users.prefix(20).map { "\"\($0.automation.key)\"" }.joined(separator: ", ")
        let more = users.count > 20 ? ", …" : ""
        return Problem(
            .wrongState,
            "Active automations would break: \(keys)\(more). With force=true they are marked broken.",
            detailES:
                "Se romperían automatizaciones activas: \(keys)\(more). Con force=true quedan marcadas como rotas.",
            errors: users.prefix(20).map { user in
                Problem.Detail(pointer: "", code: "in_use", detail: "\(user.automation.key): \(user.reason)")
            }
        )
    }
}
