/// The name of a secret, as automations write it in `secret:<name>`.
package struct SecretName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    /// A name, or nil unless it is `^[a-z][a-z0-9_.-]{0,99}$`.
    package init?(_ text: String) {
        guard let first = text.utf8.first, SecretSyntax.isLowercaseLetter(first), text.utf8.count <= 100,
            text.utf8.allSatisfy(SecretSyntax.isNameByte)
        else { return nil }
        self.text = text
    }

    package static func < (left: SecretName, right: SecretName) -> Bool { left.text < right.text }

    package var description: String { text }
}
