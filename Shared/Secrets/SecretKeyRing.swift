import Crypto
import FoundationEssentials

/// The keys that secrets are sealed with: the first seals, every one opens.
///
/// A new key is rolled out in three steps, so that no replica meets a key that it does not have: append it to every
/// key file and restart; move it to the top and restart; reseal what ``needsResealing(_:)``, and then drop the old one.
package struct SecretKeyRing: Sendable {
    struct Key: Sendable {
        let id: String
        let secret: Secret
    }

    /// The active key.
    private let active: Key

    /// The others, in the file's order.
    private let others: [Key]

    init(active: Key, others: [Key]) {
        self.active = active
        self.others = others
    }

    /// The id of the key that seals.
    package var activeKeyID: String { active.id }

    /// The ids of all keys, the active one first.
    package var keyIDs: [String] { [active.id] + others.map(\.id) }

    /// Seals a secret with the active key: AES-256-GCM with a random nonce, and the context as associated data.
    ///
    /// Random nonces allow 2^32 secrets for each key (NIST SP 800-38D, section 8.3).
    ///
    /// - Parameters:
    ///   - secret: ``Secret/maximumBytes`` at most.
    ///   - context: What the secret belongs to.
    /// - Returns: The sealed secret.
    /// - Throws: ``SecretsError`` with code `secret_too_large` or `not_sealed`.
    package func seal(_ secret: Secret, for context: SecretContext) throws(SecretsError) -> SealedSecret {
        guard secret.count <= Secret.maximumBytes else { throw SecretsError.tooLarge }
        let associatedData = context.associatedData(keyID: active.id)
        let box = secret.withUnsafeBytes { bytes in
            try? AES.GCM.seal(bytes, using: active.secret.key, authenticating: associatedData).combined
        }
        guard let box else { throw SecretsError(.notSealed, "The secret could not be sealed.") }
        return SealedSecret(keyID: active.id, box: box)
    }

    /// Opens a sealed secret.
    ///
    /// - Parameters:
    ///   - sealed: What was stored.
    ///   - context: What the secret was sealed for.
    /// - Returns: The secret.
    /// - Throws: ``SecretsError`` with code `unknown_key`, or `not_authentic` where the bytes or the context differ, which
    ///   the cipher cannot tell apart.
    package func open(_ sealed: SealedSecret, for context: SecretContext) throws(SecretsError) -> Secret {
        guard let key = key(sealed.keyID) else {
            throw SecretsError(.unknownKey, "The key \(sealed.keyID), which sealed the secret, is not in the key file.")
        }
        let associatedData = context.associatedData(keyID: key.id)
        guard let box = try? AES.GCM.SealedBox(combined: sealed.box),
            var plain = try? AES.GCM.open(box, using: key.secret.key, authenticating: associatedData)
        else {
            throw SecretsError(.notAuthentic, "The sealed secret was changed, or was sealed for something else.")
        }
        defer { plain.resetBytes(in: plain.startIndex..<plain.endIndex) }
        return Secret(SymmetricKey(data: plain))
    }

    /// Whether a secret is sealed with a key that is no longer, or not yet, the active one.
    package func needsResealing(_ sealed: SealedSecret) -> Bool { sealed.keyID != active.id }

    /// Seals a sealed secret anew with the active key, for the same context.
    ///
    /// - Parameters:
    ///   - sealed: What was stored.
    ///   - context: What the secret was sealed for, and will be.
    /// - Returns: What to store in its place.
    /// - Throws: What ``open(_:for:)`` and ``seal(_:for:)`` throw.
    package func reseal(_ sealed: SealedSecret, for context: SecretContext) throws(SecretsError) -> SealedSecret {
        try seal(open(sealed, for: context), for: context)
    }

    private func key(_ id: String) -> Key? {
        active.id == id ? active : others.first { $0.id == id }
    }
}

extension SecretKeyRing: CustomStringConvertible, CustomReflectable {
    package var description: String { "SecretKeyRing(\(keyIDs.joined(separator: ", ")))" }
    package var customMirror: Mirror { Mirror(self, children: ["keyIDs": keyIDs]) }
}
