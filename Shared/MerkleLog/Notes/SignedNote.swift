/// A signed note of C2SP signed-note: a text, and signatures of it which nobody has verified yet.
package struct SignedNote: Sendable, Hashable {
    /// The most bytes of a note: 1 MiB.
    package static let maximumSize = 1 << 20

    /// The most signatures of a note.
    package static let maximumSignatures = 100

    /// What is signed; it ends with a line feed.
    package let text: String

    /// The signatures in their order, at least one.
    package private(set) var signatures: [NoteSignature]

    /// Takes a text and its signatures; throws where no note could hold them.
    package init(text: String, signatures: [NoteSignature]) throws(MerkleLogError) {
        guard NoteSyntax.isText(text) else {
            throw MerkleLogError(.invalidText, "A note's text has no control characters, and ends with a line feed.")
        }
        guard !signatures.isEmpty else { throw MerkleLogError(.malformedNote, "A note has no signature.") }
        self.text = text
        self.signatures = signatures
        try checkLimits()
    }

    /// Reads the bytes of a note; throws for anything that is not the one form of one.
    package init(parsing bytes: some Collection<UInt8>) throws(MerkleLogError) {
        let bytes = Array(bytes.prefix(Self.maximumSize + 1))
        guard bytes.count <= Self.maximumSize else { throw Self.tooLarge }
        guard let note = String(validating: bytes, as: UTF8.self), NoteSyntax.isText(note) else {
            throw MerkleLogError(
                .malformedNote,
                "A note is UTF-8 without control characters, and ends with a line feed."
            )
        }
        // The text may have empty lines; the last one of all is the one that ends it.
        guard let end = bytes.lastEmptyLine else {
            throw MerkleLogError(.malformedNote, "A note has no empty line before its signatures.")
        }
        let lines = bytes[(end + 1)...].split(separator: NoteSyntax.lineFeed)
        guard lines.count <= Self.maximumSignatures else { throw Self.tooManySignatures }
        var signatures: [NoteSignature] = []
        for line in lines {
            signatures.append(try NoteSignature(parsing: String(decoding: line, as: UTF8.self)))
        }
        try self.init(text: String(decoding: bytes[..<end], as: UTF8.self), signatures: signatures)
    }

    /// Reads a note; throws for anything that is not the one form of one.
    package init(parsing note: String) throws(MerkleLogError) {
        try self.init(parsing: note.utf8)
    }

    /// The note as it is stored and sent.
    package var encoded: String { text + "\n" + signatures.map { $0.line + "\n" }.joined() }

    /// The bytes of ``encoded``.
    package var bytes: [UInt8] { Array(encoded.utf8) }

    /// Adds a signature behind the others; throws where the note would have too many or be too large.
    package mutating func add(_ signature: NoteSignature) throws(MerkleLogError) {
        var note = self
        note.signatures.append(signature)
        try note.checkLimits()
        self = note
    }

    package static func == (left: SignedNote, right: SignedNote) -> Bool {
        left.signatures == right.signatures && NoteSyntax.areSame(left.text, right.text)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(signatures)
    }

    private func checkLimits() throws(MerkleLogError) {
        guard signatures.count <= Self.maximumSignatures else { throw Self.tooManySignatures }
        guard encoded.utf8.count <= Self.maximumSize else { throw Self.tooLarge }
    }

    private static let tooLarge = MerkleLogError(.tooLarge, "A note has more than \(maximumSize) bytes.")

    private static let tooManySignatures = MerkleLogError(
        .tooManySignatures,
        "A note has more than \(maximumSignatures) signatures."
    )
}

extension [UInt8] {
    /// Where the last empty line is: the offset of the line feed that is all of it.
    fileprivate var lastEmptyLine: Int? {
        indices.dropFirst().last { self[$0] == NoteSyntax.lineFeed && self[$0 - 1] == NoteSyntax.lineFeed }
    }
}
