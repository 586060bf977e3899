/// The rules of C2SP signed-note for texts and names.
enum NoteSyntax {
    static let lineFeed = UInt8(ascii: "\n")

    /// Whether a text can be signed: no control characters but line feeds, one of which is at its end.
    static func isText(_ text: String) -> Bool {
        text.utf8.last == lineFeed && text.utf8.allSatisfy { $0 >= 0x20 || $0 == lineFeed }
    }

    /// What stands behind a prefix in a text, byte by byte; nil where the text does not begin with it.
    static func rest(of text: String, after prefix: String) -> Substring? {
        text.utf8.starts(with: prefix.utf8) ? Substring(text.utf8.dropFirst(prefix.utf8.count)) : nil
    }

    /// Whether a text can name a key: not empty, no white space of Unicode, no `+`, no control characters.
    static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.value >= 0x20 && scalar != "+" && !scalar.properties.isWhitespace
            }
    }

    /// Whether texts have the same bytes; `==` also takes different ones that look alike for the same.
    static func areSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}
