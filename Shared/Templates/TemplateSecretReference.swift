package import JSON

/// A secret that a template uses, and where.
package struct TemplateSecretReference: Sendable, Hashable {
    /// The secret's name, without `secret:`.
    package let name: String

    /// The string that holds the expression.
    package let pointer: JSONPointer

    /// Where the expression begins in that string, in Unicode code points from 1.
    package let column: Int
}
