import Crypto

/// A public key that verifies signatures of notes, in the form `name+id+base64` of C2SP signed-note.
package struct NoteVerifierKey: Sendable, Hashable, CustomStringConvertible {
    /// The key's name: no white space, no `+`.
    package let name: String

    /// The beginning of SHA-256 of the name, a line feed, the type and the public key.
    package let keyID: UInt32

    /// What the key signs.
    package let kind: NoteKeyKind

    /// The 32 bytes of the Ed25519 public key.
    package let publicKey: [UInt8]

    /// Takes a public key; throws where its name is not one, or its bytes are not the encoding of a key.
    package init(name: String, kind: NoteKeyKind, publicKey: [UInt8]) throws(MerkleLogError) {
        guard NoteSyntax.isName(name) else {
            throw MerkleLogError(.invalidName, "A key's name has no white space, no + and no control characters.")
        }
        guard publicKey.count == 32 else { throw MerkleLogError(.malformedKey, "An Ed25519 public key has 32 bytes.") }
        guard Self.isCanonical(publicKey) else {
            throw MerkleLogError(
                .malformedKey,
                "The bytes of the public key \(name) encode no point, or not in the one way."
            )
        }
        self.init(checked: name, kind: kind, publicKey: publicKey)
    }

    private init(checked name: String, kind: NoteKeyKind, publicKey: [UInt8]) {
        self.name = name
        self.kind = kind
        self.publicKey = publicKey
        let digest = SHA256.hash(data: Array(name.utf8) + [NoteSyntax.lineFeed, kind.rawValue] + publicKey)
        keyID = digest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Whether 32 bytes are a number below 2^255 − 19, and a bit that is not set where it would say nothing.
    ///
    /// That is what can be told from the bytes (RFC 8032, section 5.1.3); a number that is on no point verifies nothing.
    private static func isCanonical(_ publicKey: [UInt8]) -> Bool {
        let number = publicKey.dropLast() + [publicKey[31] & 0x7f]
        guard number.reversed().lexicographicallyPrecedes(modulus.reversed()) else { return false }
        // The sign of x tells two points of one y apart, but for 1 and −1, whose x is 0.
        let isAlone = Array(number) == one || Array(number) == minusOne
        return publicKey[31] < 0x80 || !isAlone
    }

    private static let modulus: [UInt8] = [0xed] + Array(repeating: 0xff, count: 30) + [0x7f]
    private static let minusOne: [UInt8] = [0xec] + modulus.dropFirst()
    private static let one: [UInt8] = [1] + Array(repeating: 0, count: 31)

    /// Reads a public key such as `example.com/log+530d903a+AekyeR…`, the digits of its id in either case.
    ///
    /// Throws where the id is not that of its bytes.
    package init(parsing text: String) throws(MerkleLogError) {
        guard let parts = NoteKeyText(text[...]) else {
            throw MerkleLogError(
                .malformedKey,
                "A public key is a name, eight hexadecimal digits and base64, + between."
            )
        }
        try self.init(name: parts.name, kind: parts.kind(), publicKey: parts.key)
        guard NoteSyntax.areSame(parts.id.lowercased(), Hexadecimal.text(keyID.bigEndianBytes)) else {
            throw MerkleLogError(.malformedKey, "The id of the public key \(name) is not that of its bytes.")
        }
    }

    /// The key as it is read.
    package var description: String { NoteKeyText(name: name, id: keyID, kind: kind, key: publicKey).text }

    /// The same public key for signatures of another kind, which gives it another id.
    func with(_ kind: NoteKeyKind) -> NoteVerifierKey {
        NoteVerifierKey(checked: name, kind: kind, publicKey: publicKey)
    }

    /// Whether a signature says that it is this key's.
    package func isNamed(by signature: NoteSignature) -> Bool {
        signature.keyID == keyID && NoteSyntax.areSame(signature.name, name)
    }

    /// Verifies a signature of a text, with the time that it says where the key is a witness's.
    ///
    /// Throws where the signature is not this key's, or the text is not what it signs.
    package func verify(_ signature: NoteSignature, of text: String) throws(MerkleLogError) -> VerifiedSignature {
        guard isNamed(by: signature) else {
            throw MerkleLogError(.invalidSignature, "The signature is that of another key than \(name).")
        }
        switch kind {
        case .log:
            guard let message = NoteMessage.log(text) else { throw invalidSignature }
            try verify(signature.signature[...], of: message)
            return VerifiedSignature(key: self, time: nil)
        case .cosignature:
            let time = signature.signature.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard let message = NoteMessage.cosignature(of: text, time: time) else { throw invalidSignature }
            try verify(signature.signature.dropFirst(8), of: message)
            return VerifiedSignature(key: self, time: time)
        }
    }

    package static func == (left: NoteVerifierKey, right: NoteVerifierKey) -> Bool {
        left.kind == right.kind && left.publicKey == right.publicKey && NoteSyntax.areSame(left.name, right.name)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(keyID)
        hasher.combine(publicKey)
    }

    private func verify(_ signature: ArraySlice<UInt8>, of message: [UInt8]) throws(MerkleLogError) {
        guard
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey),
            key.isValidSignature(Array(signature), for: message)
        else { throw invalidSignature }
    }

    private var invalidSignature: MerkleLogError {
        MerkleLogError(.invalidSignature, "A signature in the name of \(name) is not that of its key.")
    }
}
