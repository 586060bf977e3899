import Crypto

extension SecretKeyRing {
    /// Reads keys from the text of a key file.
    ///
    /// On each line stands a key's id, blanks, and the base64 of 32 bytes; `#` begins a comment. The first key is the
    /// active one. 64 KiB and 64 keys at most.
    ///
    /// - Parameter text: The text.
    /// - Throws: ``SecretsError`` with a sentence and, where a line is at fault, its number.
    package init(keyFile text: Secret) throws(SecretsError) {
        let keys = try text.withUnsafeBytes { (bytes) throws(SecretsError) in try KeyFileParser.parse(bytes) }
        guard let active = keys.first else { throw SecretsError(.noKeys, "The key file has no key.") }
        self.init(active: active, others: Array(keys.dropFirst()))
    }

    /// Reads the key file at a path: a regular file to which neither group nor others have any rights.
    ///
    /// The calling thread waits for the disk.
    ///
    /// - Parameter path: Where the file is; links are followed.
    /// - Throws: ``SecretsError`` with a sentence that does not name the path.
    package init(contentsOf path: String) throws(SecretsError) {
        try self.init(keyFile: KeyFile.read(path))
    }

    /// Makes the line of a new random key, a newline at its end, for a key file.
    ///
    /// - Parameter id: `^[a-z0-9][a-z0-9_.-]{0,31}$`.
    /// - Returns: The line.
    /// - Throws: ``SecretsError`` with code `invalid_key_id`.
    package static func generate(id: String) throws(SecretsError) -> Secret {
        guard SecretSyntax.isKeyID(id.utf8) else {
            throw SecretsError(
                .invalidKeyID,
                "A key's id is 1 to 32 of a-z, 0-9, '_', '.' and '-', and begins with a letter or digit."
            )
        }
        return Secret(prefix: id + " ", base64: SymmetricKey(size: .bits256), suffix: "\n")
    }
}

extension Secret {
    /// A text with a key's base64 in its middle.
    init(prefix: String, base64 key: SymmetricKey, suffix: String = "") {
        self = key.withUnsafeBytes { bytes in
            let encodedCount = Base64.encodedCount(bytes.count)
            let count = prefix.utf8.count + encodedCount + suffix.utf8.count
            return Secret(capacity: count) { buffer in
                let start = prefix.utf8.count
                let end = start + encodedCount
                UnsafeMutableRawBufferPointer(rebasing: buffer[..<start]).copyBytes(from: prefix.utf8)
                Base64.encode(bytes, into: UnsafeMutableRawBufferPointer(rebasing: buffer[start..<end]))
                UnsafeMutableRawBufferPointer(rebasing: buffer[end...]).copyBytes(from: suffix.utf8)
                return count
            }
        }
    }
}
