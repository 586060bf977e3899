import Crypto

/// A value that an audit entry names by its salted hash, because it is large or personal.
package struct KeptBody: Sendable, Equatable {
    /// The bytes of a salt.
    package static let saltLength = 16

    /// SHA-256 of the salt and the body.
    package let hash: [UInt8]
    /// 16 random bytes, so that an erased body cannot be guessed from its hash.
    package let salt: [UInt8]
    /// RFC 8785 JSON.
    package let body: [UInt8]

    /// A body with the hash that names it.
    package init(body: [UInt8], salt: [UInt8]) {
        self.body = body
        self.salt = salt
        var hasher = SHA256()
        hasher.update(data: salt)
        hasher.update(data: body)
        hash = Array(hasher.finalize())
    }
}
