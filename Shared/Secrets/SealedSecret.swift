/// An encrypted secret as a column of bytes holds it.
///
/// The form: 1, the length of the key's id, the id, a nonce of 12 bytes, as many bytes as the secret has, and a tag of
/// 16 bytes.
package struct SealedSecret: Hashable, Sendable {
    /// The most bytes that a sealed secret has.
    package static let maximumBytes = 2 + 32 + 12 + Secret.maximumBytes + 16

    private static let form: UInt8 = 1
    private static let headBytes = 2
    private static let nonceAndTagBytes = 12 + 16

    /// The whole form.
    package let bytes: [UInt8]

    /// The id of the key that it was sealed with; nothing vouches for it before the secret was opened.
    package let keyID: String

    /// Reads the form of stored bytes; whether they are authentic shows when they are opened.
    ///
    /// - Parameter bytes: What ``bytes`` was.
    /// - Throws: ``SecretsError`` with code `truncated`, `unsupported_form` or `secret_too_large`.
    package init(bytes: [UInt8]) throws(SecretsError) {
        guard let form = bytes.first else { throw Self.truncated }
        guard form == Self.form else {
            throw SecretsError(.unsupportedForm, "The sealed secret has a form that this release does not know.")
        }
        guard bytes.count >= Self.headBytes else { throw Self.truncated }
        let idEnd = Self.headBytes + Int(bytes[1])
        guard bytes.count >= idEnd + Self.nonceAndTagBytes else { throw Self.truncated }
        guard bytes.count <= idEnd + Self.nonceAndTagBytes + Secret.maximumBytes else { throw SecretsError.tooLarge }
        let id = bytes[Self.headBytes..<idEnd]
        guard SecretSyntax.isKeyID(id) else {
            throw SecretsError(.unsupportedForm, "The sealed secret names its key in a form that no key id has.")
        }
        self.bytes = bytes
        keyID = String(decoding: id, as: UTF8.self)
    }

    /// Writes the form.
    init(keyID: String, box: some Sequence<UInt8>) {
        bytes = Self.head(keyID: keyID) + Array(box)
        self.keyID = keyID
    }

    /// What everything begins with that was sealed with a key, and nothing that was sealed with another.
    package static func head(keyID: String) -> [UInt8] {
        [form, UInt8(truncatingIfNeeded: keyID.utf8.count)] + Array(keyID.utf8)
    }

    /// Nonce, ciphertext and tag.
    var box: ArraySlice<UInt8> { bytes.dropFirst(Self.headBytes + keyID.utf8.count) }

    private static var truncated: SecretsError {
        SecretsError(.truncated, "The sealed secret ends too early.")
    }
}

extension SealedSecret: CustomStringConvertible, CustomReflectable {
    package var description: String { "SealedSecret(key: \(keyID), \(bytes.count) bytes)" }
    package var customMirror: Mirror { Mirror(self, children: ["keyID": keyID, "count": bytes.count]) }
}

extension SecretsError {
    static var tooLarge: SecretsError {
        SecretsError(.secretTooLarge, "A secret has at most \(Secret.maximumBytes) bytes.")
    }
}
