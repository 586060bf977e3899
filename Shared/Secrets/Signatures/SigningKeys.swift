import Crypto

/// The secrets of which each may have made a signature, so that a hook's secret can be replaced without a gap.
struct SigningKeys: Sendable {
    static let maximumCount = 8

    let keys: [Secret]

    /// Takes keys that their scheme has checked.
    init(checked keys: [Secret]) { self.keys = keys }

    /// Takes secrets as they are.
    ///
    /// - Parameter secrets: 1 to 8, none of them empty.
    /// - Throws: ``SecretsError`` with code `invalid_secret_count` or `invalid_signing_secret`.
    init(_ secrets: [Secret]) throws(SecretsError) {
        try Self.checkCount(secrets)
        guard secrets.allSatisfy({ $0.count > 0 }) else {
            throw SecretsError(.invalidSigningSecret, "A signing secret is empty, so that anybody could sign.")
        }
        keys = secrets
    }

    static func checkCount(_ secrets: [Secret]) throws(SecretsError) {
        guard (1...maximumCount).contains(secrets.count) else {
            throw SecretsError(.invalidSecretCount, "There must be 1 to \(maximumCount) signing secrets.")
        }
    }

    /// Checks that one of the keys made one of the codes (HMAC-SHA256).
    ///
    /// Every key is tried with every code whatever the others gave, and codes are compared in constant time.
    ///
    /// - Parameters:
    ///   - codes: What came, 32 bytes each.
    ///   - prefix: What was signed before the body.
    ///   - body: The raw bytes of the body.
    /// - Returns: Whether a code is right.
    func madeOne(of codes: [[UInt8]], over prefix: [UInt8] = [], _ body: ArraySlice<UInt8>) -> Bool {
        var isValid = false
        for key in keys {
            let expected = Self.code(over: prefix, body, key)
            for code in codes {
                let isEqual = expected == code
                isValid = isEqual || isValid
            }
        }
        return isValid
    }

    static func code(over prefix: [UInt8], _ body: ArraySlice<UInt8>, _ key: Secret) -> HMAC<SHA256>.MAC {
        var hmac = HMAC<SHA256>(key: key.key)
        hmac.update(data: prefix)
        hmac.update(data: body)
        return hmac.finalize()
    }
}
