/// Strong entity tags, as headers carry them and as the engine knows them (without the quotes).
enum EntityTag {
    /// The header's value for an engine's tag, or nil where the tag cannot stand in a header.
    static func header(_ tag: String) -> String? {
        guard !tag.isEmpty, tag.utf8.count <= 128, tag.utf8.allSatisfy(isTagByte) else {
            return nil
        }
        return "\"\(tag)\""
    }

    /// What an `If-Match` asks for.
    enum Condition: Equatable {
        /// Any version.
        case any
        /// One of these versions.
        case tags([String])
    }

    /// Reads an `If-Match`: `*`, or quoted tags separated by commas.
    ///
    /// A weak tag never matches (RFC 9110, 13.1.1).
    ///
    /// - Returns: nil where it is none of these.
    static func condition(_ header: String) -> Condition? {
        let text = header.trimmedBlanks
        guard text != "*" else {
            return .any
        }
        var tags: [String] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            var tag = String(part).trimmedBlanks
            let isWeak = tag.hasPrefix("W/")
            if isWeak {
                tag = String(tag.dropFirst(2))
            }
            guard tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else {
                return nil
            }
            tag = String(tag.dropFirst().dropLast())
            guard tag.utf8.allSatisfy(isTagByte) else {
                return nil
            }
            if !isWeak {
                tags.append(tag)
            }
        }
        return .tags(tags)
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        byte == 0x21 || (0x23...0x7E).contains(byte)
    }
}

extension String {
    /// The text without blanks and tabs at its ends.
    var trimmedBlanks: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
