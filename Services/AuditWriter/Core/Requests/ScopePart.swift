import Crypto
import FoundationEssentials

/// How many entries of one tenant a log of some size has, and the digest of their leaf hashes: as far as it is known.
struct ScopePart: Sendable {
    /// The size of the log.
    let size: Int64
    /// The index up to which the log was looked through.
    private(set) var next: Int64 = 0
    /// How many entries of the tenant were found.
    private(set) var entries: Int64 = 0
    private var digest = SHA256()

    /// Begins with nothing.
    ///
    /// - Parameter size: The size of the log.
    init(size: Int64) {
        self.size = size
    }

    /// Whether the whole log was looked through.
    var isWhole: Bool { next >= size }

    /// SHA-256 over the leaf hashes of the entries found, one after the other.
    var digestBase64: String { Data(digest.finalize()).base64EncodedString() }

    /// Adds the leaf hashes of the tenant's entries below an index, from where it had come to.
    mutating func append(_ hashes: [[UInt8]], upTo end: Int64) {
        for hash in hashes {
            digest.update(data: hash)
        }
        entries += Int64(hashes.count)
        next = end
    }
}
