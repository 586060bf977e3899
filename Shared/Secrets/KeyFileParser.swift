/// Reads the text of a key file: on each line a key's id, blanks, and the base64 of 32 bytes.
///
/// Lines may end in CR LF, `#` begins a comment anywhere in a line, and empty lines count for nothing.
struct KeyFileParser {
    static let maximumKeys = 64
    static let keyBytes = 32

    private var keys: [(key: SecretKeyRing.Key, line: Int)] = []

    /// Reads a whole text.
    ///
    /// - Parameter text: ``KeyFile/maximumBytes`` at most.
    /// - Returns: The keys in the order of the lines.
    /// - Throws: ``SecretsError`` with the line at fault; no message has a piece of the text.
    static func parse(_ text: UnsafeRawBufferPointer) throws(SecretsError) -> [SecretKeyRing.Key] {
        guard text.count <= KeyFile.maximumBytes else { throw KeyFile.tooLarge }
        var parser = KeyFileParser()
        for (index, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            try parser.read(line, number: index + 1)
        }
        return parser.keys.map(\.key)
    }

    private mutating func read(_ line: Slice<UnsafeRawBufferPointer>, number: Int) throws(SecretsError) {
        let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        let fields = content.prefix { $0 != UInt8(ascii: "#") }.split(whereSeparator: SecretSyntax.isBlank)
        guard let id = fields.first else { return }
        guard fields.count == 2 else {
            throw Self.fault(.malformedLine, number, "is not a key's id and a key with a blank between them")
        }
        guard SecretSyntax.isKeyID(id) else {
            throw Self.fault(
                .invalidKeyID,
                number,
                "has no key id: that is 1 to 32 of a-z, 0-9, '_', '.' and '-', and begins with a letter or digit"
            )
        }
        guard let key = Self.key(fields[1]) else {
            throw Self.fault(.invalidKey, number, "has no key: that is 32 random bytes in base64, 44 characters")
        }
        try add(SecretKeyRing.Key(id: String(decoding: id, as: UTF8.self), secret: key), number)
    }

    private mutating func add(_ key: SecretKeyRing.Key, _ number: Int) throws(SecretsError) {
        if let earlier = keys.first(where: { $0.key.id == key.id }) {
            throw Self.fault(.duplicateKeyID, number, "has the key id of line \(earlier.line) again")
        }
        if let earlier = keys.first(where: { $0.key.secret == key.secret }) {
            throw Self.fault(.duplicateKey, number, "has the key of line \(earlier.line) again")
        }
        guard keys.count < Self.maximumKeys else {
            throw Self.fault(.keyFileTooLarge, number, "has one key more than the \(Self.maximumKeys) allowed")
        }
        keys.append((key, number))
    }

    /// A key; nil too where all its bytes are equal, as no random ones are.
    private static func key(_ text: Slice<UnsafeRawBufferPointer>) -> Secret? {
        guard text.count == Base64.encodedCount(keyBytes) else { return nil }
        let secret = Secret(capacity: keyBytes + 1) { Base64.decode(text, into: $0) ?? 0 }
        guard secret.count == keyBytes else { return nil }
        let isUniform = secret.withUnsafeBytes { bytes in bytes.allSatisfy { $0 == bytes.first } }
        return isUniform ? nil : secret
    }

    private static func fault(_ code: SecretsError.Code, _ line: Int, _ phrase: String) -> SecretsError {
        SecretsError(code, "Line \(line) of the key file \(phrase).", line: line)
    }
}
