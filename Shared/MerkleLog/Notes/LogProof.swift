/// A file by C2SP tlog-proof that proves, without the log at hand, that an entry is in it.
package struct LogProof: Sendable, Hashable {
    /// The most bytes of a file: 2 MiB.
    package static let maximumSize = 2 << 20

    /// The index of the entry in the log, from 0.
    package let index: UInt64

    /// What its maker added, which nothing vouches for; empty where nothing was.
    package let extra: [UInt8]

    /// The proof that the entry is in the tree, from the leaf's sibling upwards.
    package let hashes: [MerkleHash]

    /// The head of the log, with its signatures.
    package let checkpoint: SignedNote

    /// Takes the parts of a proof; throws where no file could hold them.
    package init(
        index: UInt64,
        extra: [UInt8] = [],
        hashes: [MerkleHash],
        checkpoint: SignedNote
    ) throws(MerkleLogError) {
        guard index < MerkleTree.maximumSize else {
            throw MerkleLogError(.sizeOutOfRange, "An index is below 2^63, not \(index).")
        }
        guard hashes.count <= MerkleProof.maximumCount else {
            throw MerkleLogError(.malformedProof, "A proof has at most \(MerkleProof.maximumCount) hashes.")
        }
        self.index = index
        self.extra = extra
        self.hashes = hashes
        self.checkpoint = checkpoint
        guard extra.count <= Self.maximumSize, encoded.utf8.count <= Self.maximumSize else { throw Self.tooLarge }
    }

    /// Reads the bytes of a proof file; throws for anything that is not the one form of one.
    package init(parsing bytes: some Collection<UInt8>) throws(MerkleLogError) {
        let bytes = Array(bytes.prefix(Self.maximumSize + 1))
        guard bytes.count <= Self.maximumSize else { throw Self.tooLarge }
        var lines = LineReader(bytes)
        guard lines.next() == Self.header else {
            throw MerkleLogError(.malformedProof, "A proof file begins with the line \(Self.header).")
        }
        var line = lines.next()
        var extra: [UInt8] = []
        if let text = line.flatMap({ NoteSyntax.rest(of: $0, after: "extra ") }) {
            guard let bytes = StrictBase64.bytes(text), !bytes.isEmpty else {
                throw MerkleLogError(.malformedProof, "The extra data is not base64, or empty.")
            }
            extra = bytes
            line = lines.next()
        }
        let number = line.flatMap { NoteSyntax.rest(of: $0, after: "index ") }
        guard let index = number.flatMap({ Decimal.number($0) }) else {
            throw MerkleLogError(.malformedProof, "The line of the index is missing, or no decimal number below 2^63.")
        }
        let hashes = try Self.hashes(&lines)
        try self.init(index: index, extra: extra, hashes: hashes, checkpoint: SignedNote(parsing: lines.rest))
    }

    /// The file's text.
    package var encoded: String {
        var lines = [Self.header]
        if !extra.isEmpty {
            lines.append("extra \(StrictBase64.text(extra))")
        }
        lines.append("index \(index)")
        lines.append(contentsOf: hashes.map(\.base64))
        return lines.map { $0 + "\n" }.joined() + "\n" + checkpoint.encoded
    }

    /// The bytes of ``encoded``.
    package var bytes: [UInt8] { Array(encoded.utf8) }

    /// Checks that a log has signed a tree with the leaf at the index.
    ///
    /// - Parameters:
    ///   - leaf: The hash of the entry.
    ///   - origin: The log's name.
    ///   - keys: The keys of the log, one of which has to have signed, and of witnesses, which need not.
    /// - Returns: The checkpoint, and which of the keys have signed it.
    /// - Throws: Where a signature is invalid, no log's key has signed, the log is another, or the proof does not hold.
    package func verify(
        leaf: MerkleHash,
        origin: String,
        keys: [NoteVerifierKey]
    ) throws(MerkleLogError) -> (checkpoint: Checkpoint, signatures: [VerifiedSignature]) {
        let signatures = try checkpoint.verified(by: keys)
        guard signatures.contains(where: { $0.key.kind == .log }) else {
            throw MerkleLogError(.unknownSigner, "None of the log's keys has signed the checkpoint.")
        }
        let head = try Checkpoint(parsing: checkpoint.text)
        guard NoteSyntax.areSame(head.origin, origin) else {
            throw MerkleLogError(.wrongOrigin, "The checkpoint is that of the log \(head.origin).")
        }
        do {
            try MerkleProof.verifyInclusion(of: leaf, index: index, size: head.size, proof: hashes, root: head.root)
        } catch {
            throw MerkleLogError(.invalidProof, error.message)
        }
        return (head, signatures)
    }

    private static let header = "c2sp.org/tlog-proof@v1"

    private static let tooLarge = MerkleLogError(.tooLarge, "A proof file has more than \(maximumSize) bytes.")

    private static func hashes(_ lines: inout LineReader) throws(MerkleLogError) -> [MerkleHash] {
        var hashes: [MerkleHash] = []
        while let line = lines.next() {
            guard !line.isEmpty else { return hashes }
            guard let hash = MerkleHash(base64: line) else {
                throw MerkleLogError(.malformedProof, "A line of the proof is no hash in base64.")
            }
            hashes.append(hash)
        }
        throw MerkleLogError(.malformedProof, "The empty line before the checkpoint is missing.")
    }
}

/// Takes lines off the front of bytes.
private struct LineReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next line without its line feed; nil at the end, before a line that has none, and where it is not UTF-8.
    mutating func next() -> String? {
        guard let end = rest.firstIndex(of: NoteSyntax.lineFeed) else { return nil }
        let line = String(validating: rest[..<end], as: UTF8.self)
        rest = rest[(end + 1)...]
        return line
    }
}
