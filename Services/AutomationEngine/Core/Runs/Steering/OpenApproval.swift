import Contracts
import Domain
import JSON
import JSONSchema

/// An approval that nobody has decided about.
struct OpenApproval: Sendable {
    /// A form is filled in with at most this much, in bytes.
    static let maximumForm = 64 * 1_024

    let position: Int
    /// As ``Approval/request(from:)`` has written it.
    let request: JSONView

    /// Refuses whoever may not decide.
    ///
    /// - Parameters:
    ///   - person: The name of the principal.
    ///   - role: Its role.
    /// - Throws: `forbidden`.
    func requireAuthority(of person: String, _ role: Role) throws(Problem) {
        let hasRole = request["roles"]?.elements.contains { $0.stringValue == role.rawValue } ?? false
        let isNamed = request["people"]?.elements.contains { $0.stringValue == person } ?? false
        guard hasRole || isNamed else {
            throw Problem(
                .forbidden,
                "This approval is for others: by role, or by name.",
                detailES: "Esta aprobación corresponde a otras personas."
            )
        }
        guard request["requester"]?.stringValue != person || request["allow_requester"]?.boolValue == true else {
            throw Problem(
                .forbidden,
                "Whoever has started a run does not decide about it.",
                detailES: "Quien inicia una ejecución no decide sobre ella."
            )
        }
    }

    /// A form that was filled in.
    struct FilledForm {
        let value: JSONView
        /// Whether its schema says that something in it is personal.
        let isPersonal: Bool
    }

    /// The form as it was filled in.
    ///
    /// - Parameter form: What was given.
    /// - Returns: The same; nil where nothing is asked for.
    /// - Throws: Everything that the schema does not allow.
    func check(_ form: JSONView?) throws(Problem) -> FilledForm? {
        guard let stated = request["form"] else {
            guard form == nil else {
                throw Problem(.invalidContent, "This approval has no form.")
            }
            return nil
        }
        let pointer = JSONPointer().appending("form")
        guard let form else {
            throw Problem(
                .invalidContent,
                errors: [
                    Problem.Detail(pointer: pointer.text, code: "required", detail: "The approval needs its form.")
                ]
            )
        }
        guard let schema = try? JSONSchema(compiling: stated) else {
            throw Problem(.internalError, "The form of the approval cannot be read.")
        }
        guard form.rawBytes.count <= Self.maximumForm else {
            throw Problem(.tooLarge, "A form is filled in with 64 KiB at most.")
        }
        guard (try? form.canonicalBytes()) != nil else {
            throw Problem(
                .invalidContent,
                errors: [
                    Problem.Detail(
                        pointer: pointer.text,
                        code: "inexact_number",
                        detail: "A number of the form does not survive a double; give it as a text."
                    )
                ]
            )
        }
        let violations = schema.violations(in: form, at: pointer)
        guard violations.isEmpty else {
            throw Problem(
                .invalidContent,
                errors: violations.map { violation in
                    Problem.Detail(
                        pointer: violation.pointer.text,
                        code: violation.code.rawValue,
                        detail: violation.message
                    )
                }
            )
        }
        return FilledForm(value: form, isPersonal: schema.declaresPersonal)
    }
}
