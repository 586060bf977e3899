/// A reply of an SMTP server (RFC 5321, section 4.2).
package struct SMTPReply: Sendable, Hashable, CustomStringConvertible {
    /// The most bytes of a text that are kept.
    static let maximumText = 500

    /// Three digits.
    package let status: Int

    /// What follows the digits, the lines of a longer reply joined by blanks; printable.
    package let text: String

    /// Whether the server says that it may fare better later: 4yz.
    package var isTransient: Bool { (400..<500).contains(status) }

    /// Whether the server refuses: 4yz or 5yz.
    package var isRefusal: Bool { status >= 400 }

    package var description: String { text.isEmpty ? "\(status)" : "\(status) \(text)" }
}
