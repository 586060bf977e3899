import Crypto

/// A private key that signs notes, in the form `PRIVATE+KEY+name+id+base64` that Go's `note` package writes.
///
/// Only ``text`` tells the key; no description and no mirror of a signer does.
package struct NoteSigner: Sendable {
    /// The public key that verifies what this one signs.
    package let verifierKey: NoteVerifierKey

    private let key: Curve25519.Signing.PrivateKey

    /// Takes the seed of a key, 32 random bytes; throws where the name or the seed's length is not one.
    package init(name: String, kind: NoteKeyKind, seed: [UInt8]) throws(MerkleLogError) {
        guard seed.count == 32, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
            throw MerkleLogError(.malformedKey, "The seed of an Ed25519 key has 32 bytes.")
        }
        try self.init(name: name, kind: kind, key: key)
    }

    /// Reads a private key; throws where its id is not that of its bytes.
    package init(parsing text: String) throws(MerkleLogError) {
        guard let parts = NoteSyntax.rest(of: text, after: Self.prefix).flatMap({ NoteKeyText($0) }) else {
            throw MerkleLogError(
                .malformedKey,
                "A private key is \(Self.prefix), a name, eight hexadecimal digits and base64, + between."
            )
        }
        try self.init(name: parts.name, kind: parts.kind(), seed: parts.key)
        guard NoteSyntax.areSame(text, self.text) else {
            throw MerkleLogError(.malformedKey, "The id of the private key \(name) is not that of its bytes.")
        }
    }

    /// Makes a new key; throws where the name is none.
    package static func generate(name: String, kind: NoteKeyKind) throws(MerkleLogError) -> NoteSigner {
        try NoteSigner(name: name, kind: kind, key: Curve25519.Signing.PrivateKey())
    }

    private init(name: String, kind: NoteKeyKind, key: Curve25519.Signing.PrivateKey) throws(MerkleLogError) {
        let publicKey = Array(key.publicKey.rawRepresentation)
        self.init(verifierKey: try NoteVerifierKey(name: name, kind: kind, publicKey: publicKey), key: key)
    }

    private init(verifierKey: NoteVerifierKey, key: Curve25519.Signing.PrivateKey) {
        self.verifierKey = verifierKey
        self.key = key
    }

    /// The key's name.
    package var name: String { verifierKey.name }

    /// What the key signs.
    package var kind: NoteKeyKind { verifierKey.kind }

    /// The private key as it is read: what a key file has, and nobody else is to see.
    package var text: String {
        let key = NoteKeyText(name: name, id: verifierKey.keyID, kind: kind, key: Array(key.rawRepresentation))
        return Self.prefix + key.text
    }

    /// The same private key as a witness's: its signatures say when they were made.
    package var cosigner: NoteSigner { NoteSigner(verifierKey: verifierKey.with(.cosignature), key: key) }

    /// The same private key under another name; throws where the name is none.
    package func renamed(_ name: String) throws(MerkleLogError) -> NoteSigner {
        try NoteSigner(name: name, kind: kind, key: key)
    }

    /// Signs a text as a log does.
    ///
    /// Throws where the key is a witness's, no note could hold the text, or the text is what a witness would sign: one
    /// key may be both, and neither signature may pass for the other.
    package func sign(_ text: String) throws(MerkleLogError) -> NoteSignature {
        guard kind == .log else {
            throw MerkleLogError(.wrongKind, "The key \(name) signs checkpoints with a time only.")
        }
        guard let message = NoteMessage.log(text) else {
            throw MerkleLogError(
                .invalidText,
                "The text cannot be signed: it is no text of a note, or a cosignature's."
            )
        }
        return try signature(of: message)
    }

    /// Signs a checkpoint as a witness does, with the time at which it was seen, in seconds since 1970.
    ///
    /// Throws where the key is a log's, the text is no checkpoint, or the time is 2^63 or later.
    package func cosign(_ text: String, time: UInt64) throws(MerkleLogError) -> NoteSignature {
        guard kind == .cosignature else {
            throw MerkleLogError(.wrongKind, "The key \(name) signs texts without a time.")
        }
        guard time < 1 << 63 else { throw MerkleLogError(.invalidTime, "A cosignature's time is below 2^63 seconds.") }
        guard let message = NoteMessage.cosignature(of: text, time: time) else {
            throw MerkleLogError(.malformedCheckpoint, "A witness signs checkpoints only.")
        }
        return try signature(of: message, after: time.bigEndianBytes)
    }

    private func signature(of message: [UInt8], after time: [UInt8] = []) throws(MerkleLogError) -> NoteSignature {
        guard let bytes = try? key.signature(for: message) else {
            throw MerkleLogError(.notSigned, "The key \(name) could not sign.")
        }
        return try NoteSignature(name: name, keyID: verifierKey.keyID, signature: time + bytes)
    }

    private static let prefix = "PRIVATE+KEY+"
}

extension NoteSigner: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "private key of \(name)" }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: []) }
}
