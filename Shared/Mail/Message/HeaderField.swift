import FoundationEssentials

/// Writes fields of a header: folded, and in encoded words (RFC 2047) what ASCII does not hold.
enum HeaderField {
    /// The characters of a line, its end not counted.
    static let lineLength = 76

    /// A field whose value is free text.
    ///
    /// - Parameters:
    ///   - name: The field's name.
    ///   - text: One line.
    /// - Returns: The field with its line end.
    static func text(_ name: String, _ text: String) -> String {
        guard isPlain(text) else {
            return "\(name): \(encodedWords(text, after: name.utf8.count + 2))\r\n"
        }
        var lines = [name + ":"]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].utf8.count + 1 + word.utf8.count > lineLength { lines.append("") }
            lines[lines.count - 1] += " \(word)"
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// A field of mailboxes, one to a line.
    static func addresses(_ name: String, _ addresses: [MailAddress]) -> String {
        "\(name): \(addresses.map(mailbox).joined(separator: ",\r\n "))\r\n"
    }

    /// A mailbox as a header has it.
    private static func mailbox(_ address: MailAddress) -> String {
        guard let name = address.name else { return address.spec }
        // The longest field name leaves room for the first word beside it.
        guard isPlain(name) else { return "\(encodedWords(name, after: 14))\r\n <\(address.spec)>" }
        if name.utf8.allSatisfy({ MailText.isAtomByte($0) || $0 == UInt8(ascii: " ") }) {
            return "\(name) <\(address.spec)>"
        }
        let escaped = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\" <\(address.spec)>"
    }

    /// Whether a text can be written as it is: ASCII, with single blanks to fold at, and not taken for an encoded word.
    private static func isPlain(_ text: String) -> Bool {
        guard !text.isEmpty else { return true }
        return text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
            && text.split(separator: " ", omittingEmptySubsequences: false).allSatisfy {
                !$0.isEmpty && $0.utf8.count <= 60
            }
    }

    /// Encoded words of at most a line each, none of which parts a character.
    private static func encodedWords(_ text: String, after used: Int) -> String {
        var words: [String] = []
        var chunk: [UInt8] = []
        // Base64 makes four characters of three bytes; "=?UTF-8?B?" and "?=" take twelve.
        func room(_ used: Int) -> Int { (lineLength - used - 12) / 4 * 3 }
        func flush() {
            words.append("=?UTF-8?B?\(Data(chunk).base64EncodedString())?=")
            chunk = []
        }
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if chunk.count + bytes.count > room(words.isEmpty ? used : 1) { flush() }
            chunk += bytes
        }
        if !chunk.isEmpty || words.isEmpty { flush() }
        return words.joined(separator: "\r\n ")
    }
}
