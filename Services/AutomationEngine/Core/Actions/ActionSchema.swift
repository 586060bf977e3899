import JSON
import JSONSchema

/// The schema of an action's input or output, compiled once.
struct ActionSchema: Sendable {
    /// As it was declared.
    let source: JSONValue
    private let schema: JSONSchema

    /// Compiles a schema that comes from elsewhere.
    ///
    /// - Parameters:
    ///   - view: The schema.
    ///   - pointer: Where it stands in its document.
    /// - Throws: Every fault of the schema.
    init(_ view: JSONView, at pointer: JSONPointer = .root) throws(JSONSchemaFaults) {
        schema = try JSONSchema(compiling: view, at: pointer)
        source = view.value
    }

    /// Compiles a schema of the engine's own.
    init(_ source: JSONValue) {
        guard let bytes = try? source.canonicalBytes(), let document = try? JSONDocument(parsing: bytes),
            let schema = try? JSONSchema(compiling: document.root)
        else {
            preconditionFailure("a schema that the engine itself declares is none")
        }
        self.source = source
        self.schema = schema
    }

    /// What the schema does not allow about a value, whatever the strings stand for that hold a placeholder.
    func faults(in value: JSONView, at pointer: JSONPointer, placeholder: String) -> [DefinitionFault] {
        schema.violations(in: value, at: pointer, placeholder: placeholder).map { violation in
            DefinitionFault(pointer: violation.pointer, code: violation.code.rawValue, detail: violation.message)
        }
    }

    /// Refuses JSON that is not valid under the schema.
    ///
    /// - Parameters:
    ///   - bytes: The value.
    ///   - code: The code of the refusal.
    ///   - placeholder: Strings that hold it stand for any value.
    /// - Throws: The first violation in words, and all of them as `errors`; nothing of the value but names of members.
    func require(_ bytes: [UInt8], orElse code: String, placeholder: String? = nil) throws(StepError) {
        guard let root = try? JSONDocument(parsing: bytes, limits: .wrapped).root else {
            throw StepError(code: code, detail: "The value is not JSON.")
        }
        let violations = schema.violations(in: root, placeholder: placeholder)
        guard let first = violations.first else {
            return
        }
        let errors: [JSONValue] = violations.map { violation in
            [
                "pointer": .string(violation.pointer.text), "code": .string(violation.code.rawValue),
                "detail": .string(violation.message),
            ]
        }
        throw StepError(code: code, detail: first.description, members: ["errors": .array(errors)])
    }

    /// A value that is valid under the schema, always the same one; nil where none was found.
    var sample: [UInt8]? { schema.sample() }
}
