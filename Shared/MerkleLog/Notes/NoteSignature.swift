/// One signature line of a note: who says to have signed, and the signature, which nobody has verified yet.
package struct NoteSignature: Sendable, Hashable {
    /// The name of the key.
    package let name: String

    /// The key's id: the beginning of a hash of its name, type and bytes.
    package let keyID: UInt32

    /// The signature, at least one byte; for cosignatures the time, eight bytes, and then the signature.
    package let signature: [UInt8]

    /// Takes the parts of a signature line; throws where no line could hold them.
    package init(name: String, keyID: UInt32, signature: [UInt8]) throws(MerkleLogError) {
        guard NoteSyntax.isName(name) else {
            throw MerkleLogError(.invalidName, "A key's name has no white space, no + and no control characters.")
        }
        guard !signature.isEmpty else { throw MerkleLogError(.malformedSignature, "A signature has no bytes.") }
        self.name = name
        self.keyID = keyID
        self.signature = signature
    }

    /// Reads a signature line, without its line feed.
    package init(parsing line: String) throws(MerkleLogError) {
        guard let rest = NoteSyntax.rest(of: line, after: Self.prefix) else {
            throw MerkleLogError(.malformedSignature, "A signature line does not begin with an em dash and a space.")
        }
        let parts = rest.unicodeScalars.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = StrictBase64.bytes(Substring(parts[1])) else {
            throw MerkleLogError(.malformedSignature, "A signature line is not a name and the base64 of a signature.")
        }
        try self.init(
            name: String(Substring(parts[0])),
            keyID: bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) },
            signature: Array(bytes.dropFirst(4))
        )
    }

    /// The signature line, without its line feed.
    package var line: String { "\(Self.prefix)\(name) \(StrictBase64.text(keyID.bigEndianBytes + signature))" }

    package static func == (left: NoteSignature, right: NoteSignature) -> Bool {
        left.keyID == right.keyID && left.signature == right.signature && NoteSyntax.areSame(left.name, right.name)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(keyID)
        hasher.combine(signature)
    }

    private static let prefix = "\u{2014} "
}

extension FixedWidthInteger {
    /// The bytes of the number, the highest first.
    var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
