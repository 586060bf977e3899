package import JSON

/// Why an event does not meet a pattern: the part that failed, in the alternative that came nearest.
package struct EventPatternMismatch: Sendable, Hashable, CustomStringConvertible {
    /// What is wrong with the field.
    package enum Reason: String, Sendable, Hashable {
        /// The event is no object.
        case notAnObject = "not_an_object"
        /// The event has no value at the path.
        case absent
        /// The event has a value, and the pattern wants none.
        case present
        /// The event's values are others than the pattern wants.
        case differs
        /// The values are right, but not within one element of the arrays around them.
        case apart
    }

    package let reason: Reason

    /// Where the failing field stands in the pattern.
    package let pointer: JSONPointer

    /// The event's path, names joined by dots.
    package let path: String

    /// The value at the path as the event has it, cut to 80 bytes; nil where there is none.
    package let seen: String?

    /// A sentence for people, such as `data.amount is 5, and the pattern wants a number above 10`.
    package let message: String

    package var description: String { message }
}

extension EventPattern {
    /// What keeps an event from meeting the pattern; nil where it meets it.
    package func why(_ event: JSONView) -> EventPatternMismatch? {
        guard event.kind == .object else {
            return EventPatternMismatch(
                reason: .notAnObject,
                pointer: program.leaves.first?.pointer ?? .root,
                path: "",
                seen: Wording.bounded(event),
                message: "the event is \(Wording.article(event.kind)), and the pattern wants an object"
            )
        }
        var fields = EventFields()
        fields.collect(from: event, along: program.paths)
        return why(&fields) { names in EventValues.at(names[...], in: event) }
    }

    /// What keeps several documents from meeting the pattern; nil where they meet it.
    package func why(_ roots: [EventRoot]) -> EventPatternMismatch? {
        var fields = EventFields()
        fields.collect(from: roots, along: program.paths)
        return why(&fields) { names in
            roots.flatMap { root in EventValues.following(root.name, to: root.value, names[...]) }
        }
    }

    private func why(_ fields: inout EventFields, values: ([[UInt8]]) -> [JSONView]) -> EventPatternMismatch? {
        fields.read { reader in
            var finder = MismatchFinder(program: program, reader: reader)
            return finder.mismatch(values: values)
        }
    }
}
