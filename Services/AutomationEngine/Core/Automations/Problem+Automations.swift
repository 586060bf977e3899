import Contracts
import Domain
import JSON

extension Problem {
    /// There is no such automation, or the caller may not see it.
    static var automationNotFound: Problem {
        Problem(.notFound, "There is no such automation.")
    }

    /// The automation has no version of that number.
    static var versionNotFound: Problem {
        Problem(.notFound, "The automation has no such version.", detailES: "La automatización no tiene esa versión.")
    }

    /// A definition, or the body around it, has faults: all of them at once.
    static func definition(_ faults: [DefinitionFault]) -> Problem {
        let code: ProblemCode =
            faults.contains { $0.code == "invalid_status_in_body" }
            ? .invalidStatusInBody
            : faults.contains { $0.code == "unknown_action" }
                ? .unknownAction : .invalidDefinition
        return Problem(
            code,
            errors: faults.map { fault in
                Problem.Detail(pointer: fault.pointer.description, code: fault.code, detail: fault.detail)
            }
        )
    }

    init(_ refusal: AutomationStatus.Refusal) {
        switch refusal {
        case .notActivatable(let status):
            self.init(
                .wrongState,
                "Only a draft or a deprecated automation can be activated; this one is \(status.rawValue)."
            )
        case .notActive(let status):
            self.init(
                .wrongState,
                "Only an active automation can be deactivated; this one is \(status.rawValue)."
            )
        case .notDeletable(let status):
            self.init(
                .wrongState,
                "Only a draft can be deleted; this automation is \(status.rawValue).",
                detailES: "Solo se puede eliminar un borrador; esta automatización está en \(status.rawValue)."
            )
        }
    }
}
