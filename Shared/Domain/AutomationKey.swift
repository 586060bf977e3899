import FoundationEssentials

extension String {
    /// Whether the text can be the key of an automation: `^[a-z][a-z0-9._-]{0,99}$`, and not shaped like a UUID.
    package var isAutomationKey: Bool {
        guard let first = utf8.first, first.isLowercaseLetter, utf8.count <= 100, UUID(uuidString: self) == nil else {
            return false
        }
        return utf8.allSatisfy { byte in
            byte.isLowercaseLetter || byte.isDigit || [".", "_", "-"].contains(Character(Unicode.Scalar(byte)))
        }
    }
}
