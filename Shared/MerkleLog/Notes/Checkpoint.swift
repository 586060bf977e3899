/// The head of a log, by C2SP tlog-checkpoint: which log, how many leaves, and the root over them.
package struct Checkpoint: Sendable, Hashable {
    /// The most bytes of an origin.
    package static let maximumOriginSize = 255

    /// The log's name, such as `example.com/audit`.
    package let origin: String

    /// The number of leaves, below 2^63.
    package let size: UInt64

    /// The root of the tree of that size.
    package let root: MerkleHash

    /// Takes the parts of a checkpoint; throws where the text of one could not hold them.
    package init(origin: String, size: UInt64, root: MerkleHash) throws(MerkleLogError) {
        guard Self.isOrigin(origin) else {
            throw MerkleLogError(
                .invalidOrigin,
                "An origin has 1 to \(Self.maximumOriginSize) printable ASCII characters, no white space and no +."
            )
        }
        guard size < MerkleTree.maximumSize else {
            throw MerkleLogError(.sizeOutOfRange, "A checkpoint's size is below 2^63, not \(size).")
        }
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// Reads the text of a checkpoint: an origin, a size and a root, one line each; extension lines are refused.
    package init(parsing text: String) throws(MerkleLogError) {
        let lines = text.utf8.split(separator: NoteSyntax.lineFeed, omittingEmptySubsequences: false)
        guard
            lines.count == 4, lines[3].isEmpty,
            let size = Decimal.number(Substring(lines[1])),
            let root = MerkleHash(base64: String(Substring(lines[2])))
        else {
            throw MerkleLogError(.malformedCheckpoint, "A checkpoint is three lines: origin, size, root in base64.")
        }
        try self.init(origin: String(Substring(lines[0])), size: size, root: root)
    }

    /// The checkpoint as it is signed.
    package var text: String { "\(origin)\n\(size)\n\(root.base64)\n" }

    /// Whether a text can name a log: 1 to 255 printable characters of ASCII, no white space, no `+`.
    package static func isOrigin(_ text: String) -> Bool {
        (1...maximumOriginSize).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "+") }
    }

    /// The checkpoint as a note that a log has signed; throws where the key is not a log's.
    package func signed(by signer: NoteSigner) throws(MerkleLogError) -> SignedNote {
        try SignedNote(text: text, signatures: [signer.sign(text)])
    }
}
