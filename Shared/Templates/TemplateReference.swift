package import JSON

/// A path that a template reads, and where.
package struct TemplateReference: Sendable, Hashable, CustomStringConvertible {
    /// One step of a path.
    package enum Token: Sendable, Hashable {
        /// The member of an object.
        case name(String)
        /// The element of an array, from 0; from -1 counted from its end.
        case index(Int)
    }

    /// The string that holds the expression.
    package let pointer: JSONPointer

    /// Where the path begins in that string, in Unicode code points from 1.
    package let column: Int

    /// The path; the first token is the ``root``.
    package let tokens: [Token]

    /// The name that the path begins with, such as `signal`.
    package var root: String {
        if case .name(let name)? = tokens.first { name } else { "" }
    }

    /// The name of the step that a path under `steps` reads.
    package var step: String? {
        guard root == "steps", tokens.count > 1, case .name(let name) = tokens[1] else { return nil }
        return name
    }

    /// The path as the language writes it.
    package var description: String { TemplatePath.text(of: tokens) }
}
