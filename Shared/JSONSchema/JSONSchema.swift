package import JSON

/// A JSON Schema, compiled once and held against many values.
///
/// The language is a part of JSON Schema 2020-12, described in `docs/json-schema.md`: what is supported means what the
/// standard says, and everything else is refused when the schema is compiled, so no keyword is ever ignored that could
/// change what is valid. Every schema and every validation is bounded, see ``JSONSchemaLimits``; values of others never
/// make it trap.
package struct JSONSchema: Sendable {
    /// The subschemas, the whole one first.
    let nodes: [SchemaNode]

    /// Compiles a schema.
    ///
    /// - Parameters:
    ///   - view: The schema.
    ///   - pointer: Where the schema stands in the document that its author wrote; faults are named from there.
    /// - Throws: Every fault, the first 64 at most.
    package init(compiling view: JSONView, at pointer: JSONPointer = .root) throws(JSONSchemaFaults) {
        nodes = try SchemaCompiler.compile(view, at: pointer)
    }

    /// Whether `x-personal` is true anywhere in the schema: a value of it may hold something personal.
    package var declaresPersonal: Bool { nodes.contains { $0.rules.isPersonal } }

    /// Whether a value is valid; one that takes more steps than the limit is not.
    package func isValid(_ value: JSONView) -> Bool {
        var validator = SchemaValidator(nodes)
        return validator.isValid(value)
    }

    /// What a schema does not allow about a value.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - pointer: Where the value stands in its document; violations are named from there.
    ///   - limit: The most violations that are told, at least one.
    ///   - placeholder: A text; each string that holds it stands for any value, and what is not allowed whatever they
    ///     stand for is told. Nil where every string is what it is.
    /// - Returns: None exactly where the value is valid, or where nothing is certain with placeholders. A value that takes
    ///   more steps than the limit has the violation `too_complex` as its last one.
    package func violations(
        in value: JSONView,
        at pointer: JSONPointer = .root,
        limit: Int = 20,
        placeholder: String? = nil
    ) -> [JSONSchemaViolation] {
        var validator = SchemaValidator(nodes, reporting: max(limit, 1), at: pointer, placeholder: placeholder)
        return validator.violations(in: value)
    }
}
