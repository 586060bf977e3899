extension MerkleHash: CustomStringConvertible {
    /// The hash in base64: 44 characters.
    package var base64: String { StrictBase64.text(bytes) }

    /// Reads the one base64 form of a hash, 44 characters; nil for anything else.
    package init?(base64: String) {
        guard base64.utf8.count == 44, let bytes = StrictBase64.bytes(base64), let hash = MerkleHash(bytes) else {
            return nil
        }
        self = hash
    }

    /// The hash as 64 lower-case hexadecimal digits.
    package var hex: String { Hexadecimal.text(bytes) }

    package var description: String { hex }
}
