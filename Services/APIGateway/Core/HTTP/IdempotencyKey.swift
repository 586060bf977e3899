/// The value of an `Idempotency-Key` header.
enum IdempotencyKey {
    /// Reads a key, bare or as a quoted string (RFC 8941); nil unless it is 1 to 255 bytes of printable ASCII.
    static func value(_ header: String) -> String? {
        var text = header.trimmedBlanks
        if text.hasPrefix("\""), text.hasSuffix("\""), text.utf8.count >= 2 {
            text = String(text.dropFirst().dropLast())
            guard let unescaped = unescaped(text) else {
                return nil
            }
            text = unescaped
        }
        guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            return nil
        }
        return text
    }

    private static func unescaped(_ text: String) -> String? {
        var result = ""
        var isEscaped = false
        for character in text {
            switch (character, isEscaped) {
            case ("\\", false):
                isEscaped = true
            case ("\"", false):
                return nil
            case ("\\", true), ("\"", true):
                result.append(character)
                isEscaped = false
            case (_, true):
                return nil
            case (_, false):
                result.append(character)
            }
        }
        return isEscaped ? nil : result
    }
}
