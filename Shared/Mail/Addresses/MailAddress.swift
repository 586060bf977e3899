/// One mailbox: an address, and perhaps the name that is shown for it.
///
/// Taken are `user@example.org`, `<user@example.org>`, `Name <user@example.org>` and `"Name, with a comma" <user@…>`.
/// Of RFC 5322 this is the part that relays agree on: no comments, groups, routes, quoted local parts or addresses of IP,
/// and ASCII only, since not every relay on the way knows SMTPUTF8.
package struct MailAddress: Hashable, Sendable {
    /// The most bytes that an address may have (RFC 5321 leaves 256 for a path with its brackets).
    package static let maximumBytes = 254
    /// The most bytes that a name may have.
    package static let maximumNameBytes = 200

    /// What is shown, without quotes; nil where there is none.
    package let name: String?

    /// `local@domain`, as it was written.
    package let spec: String

    /// What stands behind the `@`.
    package var domain: Substring { spec[spec.index(after: spec.lastIndex(of: "@") ?? spec.startIndex)...] }

    /// The same mailbox has the same key, however the domain is written.
    var key: String { "\(spec.prefix { $0 != "@" })@\(domain.lowercased())" }

    /// Reads a mailbox.
    ///
    /// - Parameter text: As people write it.
    /// - Throws: ``MailError`` with code `invalid_address`; its message repeats nothing of the text.
    package init(_ text: String) throws(MailError) {
        guard MailText.isOneLine(text) else {
            throw Self.invalid("An address holds no line break and no control character.")
        }
        let text = text.trimmingSpaces
        guard text.last == ">" else {
            name = nil
            spec = try Self.checked(text)
            return
        }
        let (name, rest) = try Self.name(of: text)
        spec = try Self.checked(rest.dropFirst().dropLast())
        self.name = try Self.checked(name: name)
    }

    /// The same mailbox under another name.
    ///
    /// - Parameter name: What is shown; an empty one is none.
    /// - Returns: The mailbox.
    /// - Throws: ``MailError`` with code `invalid_address`.
    package func named(_ name: String) throws(MailError) -> MailAddress {
        MailAddress(name: try Self.checked(name: name), spec: spec)
    }

    private init(name: String?, spec: String) {
        self.name = name
        self.spec = spec
    }

    static func invalid(_ message: String) -> MailError { MailError(.invalidAddress, message) }

    private static func checked(name: String) throws(MailError) -> String? {
        guard MailText.isOneLine(name) else {
            throw invalid("The name of an address holds no line break and no control character.")
        }
        guard name.utf8.count <= maximumNameBytes else {
            throw invalid("The name of an address has at most \(maximumNameBytes) bytes.")
        }
        let name = name.trimmingSpaces
        return name.isEmpty ? nil : String(name)
    }
}

// MARK: - Reading

extension MailAddress {
    /// The name before `<…>`, and the rest from its bracket on.
    private static func name(of text: Substring) throws(MailError) -> (name: String, rest: Substring) {
        guard text.first == "\"" else {
            guard let bracket = text.firstIndex(of: "<") else {
                throw invalid("An address has a > without its <.")
            }
            let name = text[..<bracket]
            // What these mean in a header is not what whoever writes them without quotes has in mind.
            guard !name.unicodeScalars.contains(where: { "()<>[]:;@\\,\"".unicodeScalars.contains($0) }) else {
                throw invalid("A name with other characters than letters, digits and blanks stands in quotes.")
            }
            return (String(name), text[bracket...])
        }
        return try quotedName(of: text)
    }

    private static func quotedName(of text: Substring) throws(MailError) -> (name: String, rest: Substring) {
        var name = ""
        var rest = text.unicodeScalars.dropFirst()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"":
                let rest = Substring(rest).drop { $0 == " " }
                guard rest.first == "<" else {
                    throw invalid("After the name in quotes stands the address in < and >.")
                }
                return (name, rest)
            case "\\":
                guard let escaped = rest.popFirst() else { break }
                name.unicodeScalars.append(escaped)
            default:
                name.unicodeScalars.append(scalar)
            }
        }
        throw invalid("A name has a quote without its other one.")
    }

    /// An address of a dot-atom and a domain name.
    private static func checked(_ text: Substring) throws(MailError) -> String {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw invalid(
                "Addresses are ASCII: write the domain in its xn-- form; a local part with other letters is not sent to."
            )
        }
        guard text.utf8.count <= maximumBytes else {
            throw invalid("An address has at most \(maximumBytes) bytes.")
        }
        guard let at = text.lastIndex(of: "@") else {
            throw invalid("An address is a local part, @ and a domain, such as user@example.org; one to a text.")
        }
        let local = text[..<at]
        guard local.utf8.count <= 64, isDotAtom(local) else {
            throw invalid(
                "What stands before the @ is letters, digits and !#$%&'*+-/=?^_`{|}~, with single dots within, "
                    + "64 at most; one address to a text."
            )
        }
        let domain = text[text.index(after: at)...]
        guard isDomain(domain) else {
            throw invalid("What stands behind the @ is a domain name, such as example.org.")
        }
        return String(text)
    }

    private static func isDotAtom(_ text: Substring) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0.allSatisfy(MailText.isAtomByte) }
    }

    /// Letters, digits and hyphens, as RFC 1123 has them.
    private static func isDomain(_ text: Substring) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.first, let last = label.last, label.count <= 63 else { return false }
            return isLetterOrDigit(first) && isLetterOrDigit(last)
                && label.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
    }
}

extension StringProtocol where SubSequence == Substring {
    /// Without the spaces at both ends.
    fileprivate var trimmingSpaces: Substring {
        let start = drop { $0 == " " }
        guard let last = start.lastIndex(where: { $0 != " " }) else { return start }
        return start[...last]
    }
}
