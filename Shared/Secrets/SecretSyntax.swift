/// The characters that this module's names are made of.
enum SecretSyntax {
    static func isLowercaseLetter(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    /// Whether this is one of `a` to `z`, `0` to `9`, `_`, `.` and `-`.
    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: isLowercaseLetter(byte) || isDigit(byte)
        }
    }

    /// Whether bytes are a key's id: `^[a-z0-9][a-z0-9_.-]{0,31}$`.
    ///
    /// That is too short for 32 bytes in any common notation, so no key is taken for an id.
    static func isKeyID(_ bytes: some Collection<UInt8>) -> Bool {
        guard let first = bytes.first, bytes.count <= 32, bytes.allSatisfy(isNameByte) else { return false }
        return isLowercaseLetter(first) || isDigit(first)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// Whether this is a character of ASCII that is visible: no blank, no control.
    static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
}

extension Collection<UInt8> where SubSequence == Self {
    /// Without the blanks and tabs at both ends.
    var trimmed: Self {
        guard let first = firstIndex(where: { !SecretSyntax.isBlank($0) }) else { return self[endIndex..<endIndex] }
        var end = first
        var at = first
        while at < endIndex {
            let next = index(after: at)
            if !SecretSyntax.isBlank(self[at]) { end = next }
            at = next
        }
        return self[first..<end]
    }
}
