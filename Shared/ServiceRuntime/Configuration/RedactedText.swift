/// A text that no log, fault, dump or interpolation shows.
///
/// Use ``reveal()`` only where the secret is handed to the client that needs it.
package struct RedactedText: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What is shown in a secret's place.
    package static let redaction = "[redacted]"

    private let text: String

    /// Wraps a secret.
    package init(_ text: String) {
        self.text = text
    }

    /// The secret itself.
    package func reveal() -> String { text }

    package var description: String { Self.redaction }
    package var debugDescription: String { Self.redaction }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
