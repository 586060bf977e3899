import Crypto

/// The hash of a leaf of the log's tree (RFC 6962, section 2.1).
package enum LeafHash {
    /// SHA-256 of a zero byte and the entry's canonical bytes.
    package static func of(_ canonical: [UInt8]) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(data: [0] as [UInt8])
        hasher.update(data: canonical)
        return Array(hasher.finalize())
    }
}
