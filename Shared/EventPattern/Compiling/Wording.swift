import JSON

/// Parts of sentences for people, bounded in length.
enum Wording {
    /// The most bytes of a value or name that a sentence repeats.
    static let maximumBytes = 80

    /// The kind of a value, with its article.
    static func article(_ kind: JSONKind) -> String {
        switch kind {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// A text in quotes, its control characters escaped.
    static func quote(_ text: String) -> String {
        var writer = JSONWriter()
        writer.string(text)
        return bounded(writer.bytes[...])
    }

    /// A text in quotes from its UTF-8.
    static func quote(_ text: [UInt8]) -> String { quote(String(decoding: text, as: UTF8.self)) }

    /// A value as the document has it.
    static func bounded(_ view: JSONView) -> String { bounded(view.rawBytes) }

    /// A name as it is.
    static func name(_ text: String) -> String { bounded(Array(text.utf8)[...]) }

    private static func bounded(_ bytes: ArraySlice<UInt8>) -> String {
        var end = min(bytes.endIndex, bytes.startIndex + maximumBytes)
        let isWhole = end == bytes.endIndex
        // A cut never falls into a character.
        while !isWhole, end > bytes.startIndex, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        let text = bytes[..<end].map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }
        return String(decoding: text, as: UTF8.self) + (isWhole ? "" : "…")
    }

    /// Phrases joined by a word before the last; at most three of them.
    static func list(_ phrases: [String], _ word: String) -> String {
        let shown = phrases.count > 4 ? Array(phrases.prefix(3)) + ["one of \(phrases.count - 3) others"] : phrases
        guard let last = shown.last, shown.count > 1 else { return shown.first ?? "" }
        return shown.dropLast().joined(separator: ", ") + " \(word) \(last)"
    }
}
