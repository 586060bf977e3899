package import JSON

/// A condition on events in the language of EventBridge event patterns, compiled once and matched often.
///
/// The meaning follows aws/event-ruler, wherever that can be told from outside: fields are joined by "and", the values
/// of a field by "or", `$or` forks the pattern into alternatives, and the fields of an array of objects must all be met
/// by the same element. A name with dots is the same as nested names. Numbers compare as doubles. Where a later
/// condition names the same field as an earlier one, the later one holds, see ``overridden``.
///
/// A pattern is bounded, so matching is bounded too: it never loops, never recurses on data of others beyond the depth
/// of the parsed document, and never traps.
package struct EventPattern: Sendable {
    /// The names from the top to a field, and levels of `$or` within one another.
    package static let maximumDepth = 8

    /// Fields with conditions, before `$or` multiplies them; 64, so that a set of them is one machine word.
    package static let maximumFields = 64

    /// Values and operators of all fields together.
    package static let maximumValues = 1000

    /// Unescaped `*` in one wildcard.
    package static let maximumWildcards = 5

    /// The alternatives that all `$or` multiply out to.
    package static let maximumAlternatives = 1000

    let program: PatternProgram

    /// Validates a pattern and compiles it.
    ///
    /// - Parameters:
    ///   - view: The pattern.
    ///   - pointer: Where the pattern stands in the document that its author wrote; faults are named from there.
    /// - Throws: Every fault, up to 64.
    package init(compiling view: JSONView, at pointer: JSONPointer = .root) throws(EventPatternError) {
        var compiler = PatternCompiler(origin: pointer)
        program = try compiler.compile(view)
    }

    /// The fields that a later condition on the same path replaces in some alternative, as aws/event-ruler has it.
    ///
    /// An editor may warn about them: `{"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}` never asks `a` to be 1 and 2.
    package var overridden: [JSONPointer] { program.overridden }

    /// The number of alternatives, 1 without `$or`.
    package var alternativeCount: Int { program.alternatives.count }

    /// Whether an event, which must be an object, meets the pattern.
    package func matches(_ event: JSONView) -> Bool {
        guard event.kind == .object else { return false }
        var fields = EventFields()
        fields.collect(from: event, along: program.paths)
        return matches(&fields)
    }

    /// Whether several documents, each under a name of its own, meet the pattern as if they were one object's members.
    package func matches(_ roots: [EventRoot]) -> Bool {
        var fields = EventFields()
        fields.collect(from: roots, along: program.paths)
        return matches(&fields)
    }

    private func matches(_ fields: inout EventFields) -> Bool {
        fields.read { reader in
            var evaluation = PatternEvaluation(program: program, reader: reader)
            return evaluation.matches()
        }
    }
}

/// A document that stands as one member of the object that a pattern is matched against.
package struct EventRoot: Sendable {
    package let name: String
    package let value: JSONView

    package init(_ name: String, _ value: JSONView) {
        self.name = name
        self.value = value
    }
}
