import Crypto
package import MerkleLog

/// What an export of one tenant's entries holds: the text that the log signs for it.
package struct ExportScope: Sendable, Hashable {
    /// The head of the log that the export was made of.
    package let checkpoint: Checkpoint

    /// The key of the tenant.
    package let tenant: String

    /// How many entries of the tenant the log of that size has, and the export holds.
    package let entries: UInt64

    /// SHA-256 over the leaf hashes of these entries, one after the other, by index.
    package let digest: MerkleHash

    /// Takes the parts of a scope; throws where its text could not hold them.
    package init(
        checkpoint: Checkpoint,
        tenant: String,
        entries: UInt64,
        digest: MerkleHash
    ) throws(ExportError) {
        guard Self.isTenant(tenant), entries < 1 << 63 else {
            throw ExportError(.invalidScope, "A scope has the key of a tenant, and a number of entries below 2^63.")
        }
        self.checkpoint = checkpoint
        self.tenant = tenant
        self.entries = entries
        self.digest = digest
    }

    /// Reads the text of a scope; throws for anything that is not the one form of one.
    package init(parsing text: String) throws(ExportError) {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        let malformed = ExportError(
            .invalidScope,
            "A scope is six lines: origin, size, root, tenant, number of entries and their digest."
        )
        guard
            lines.count == 7, lines[6].utf8.isEmpty,
            let origin = lines[0].removing(suffix: "/scope"),
            let checkpoint = try? Checkpoint(parsing: "\(origin)\n\(lines[1])\n\(lines[2])\n"),
            let tenant = lines[3].removing(prefix: "tenant "),
            let number = lines[4].removing(prefix: "entries "), let entries = UInt64(number),
            String(entries).utf8.elementsEqual(number.utf8),
            let digest = MerkleHash(base64: lines[5])
        else { throw malformed }
        try self.init(checkpoint: checkpoint, tenant: tenant, entries: entries, digest: digest)
    }

    /// Whether a text is the key of a tenant: lower-case letters, digits and hyphens, a letter first, 63 at most.
    private static func isTenant(_ text: String) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let first = text.utf8.first, letters.contains(first), text.utf8.count <= 63 else { return false }
        return text.utf8.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "-") }
    }

    /// The scope as it is signed.
    package var text: String {
        """
        \(checkpoint.origin)/scope
        \(checkpoint.size)
        \(checkpoint.root.base64)
        tenant \(tenant)
        entries \(entries)
        \(digest.base64)

        """
    }
}

/// Counts the entries of a scope and hashes their leaf hashes, in the order of their indexes.
package struct ScopeDigest: Sendable {
    /// How many there are so far.
    package private(set) var entries: UInt64 = 0

    private var function = SHA256()

    package init() {}

    /// Adds the leaf hash of the next entry.
    package mutating func append(_ leaf: MerkleHash) {
        function.update(data: leaf.bytes)
        entries += 1
    }

    /// The hash over those that were added.
    package var digest: MerkleHash {
        guard let digest = MerkleHash(Array(function.finalize())) else { preconditionFailure("SHA-256 has 32 bytes.") }
        return digest
    }
}

extension String {
    /// The rest of a text that begins with these bytes; nil where it does not.
    fileprivate func removing(prefix: String) -> String? {
        utf8.starts(with: prefix.utf8) ? String(utf8.dropFirst(prefix.utf8.count)) : nil
    }

    /// The rest of a text that ends with these bytes; nil where it does not.
    fileprivate func removing(suffix: String) -> String? {
        utf8.reversed().starts(with: suffix.utf8.reversed()) ? String(utf8.dropLast(suffix.utf8.count)) : nil
    }
}
