package import MerkleLog

/// Writes an export: takes the entries one by one, in the order of their indexes, and keeps none of them.
///
/// The checkpoint is written last, when everything else is on the disk and has led to its root, so that a directory
/// without the file `checkpoint` is an export that was not finished. A writer that has thrown, or is left before it has
/// finished, leaves such a directory, which may be removed.
package struct ExportWriter {
    private let checkpoint: Checkpoint
    private let checkpointBytes: [UInt8]
    private let scope: ExportScope?
    private let scopeBytes: [UInt8]?
    private let folder: NewFolder

    private var edge = TreeEdge()
    private var bundle = EntryBundle()
    private var digest = ScopeDigest()
    private var present: UInt64 = 0

    /// Makes the directory, or takes one that is empty.
    ///
    /// - Parameters:
    ///   - directory: The path; what stands above it must be there.
    ///   - checkpoint: The signed note of the head that is exported.
    ///   - scope: The signed note that says what an export of one tenant's entries holds.
    /// - Throws: Where the notes are not of that form, or the directory cannot be made or is not empty.
    package init(directory: String, checkpoint: [UInt8], scope: [UInt8]? = nil) throws(ExportError) {
        guard
            checkpoint.count <= OpenedNote.maximumSize, let note = try? SignedNote(parsing: checkpoint),
            let head = try? Checkpoint(parsing: note.text), head.size > 0
        else {
            throw ExportError(.invalidCheckpoint, "What is to be exported has no checkpoint of a log with entries.")
        }
        self.scope = try scope.map { bytes throws(ExportError) in try Self.scope(bytes, head) }
        self.checkpoint = head
        checkpointBytes = checkpoint
        scopeBytes = scope
        folder = try NewFolder(directory)
    }

    private static func scope(_ bytes: [UInt8], _ checkpoint: Checkpoint) throws(ExportError) -> ExportScope {
        guard bytes.count <= OpenedNote.maximumSize, let note = try? SignedNote(parsing: bytes) else {
            throw ExportError(.invalidScope, "The scope is no signed note.")
        }
        let scope = try ExportScope(parsing: note.text)
        guard scope.checkpoint == checkpoint else {
            throw ExportError(.invalidScope, "The scope is that of another checkpoint.")
        }
        return scope
    }

    /// How many entries were taken, those that are absent counted: the index of the next.
    package var count: UInt64 { edge.size }

    /// Takes the next entry.
    ///
    /// - Parameters:
    ///   - entry: Its canonical bytes; nil where it is not in the export.
    ///   - leaf: Its leaf hash, in either case.
    /// - Throws: Where the hash is not that of the bytes, there are too many, or a file cannot be written.
    package mutating func append(_ entry: [UInt8]?, leaf: MerkleHash) throws(ExportError) {
        guard edge.size < checkpoint.size else {
            throw ExportError(.wrongCount, "There are more entries than the \(checkpoint.size) of the checkpoint.")
        }
        if let entry {
            guard MerkleHash.leaf(entry) == leaf else {
                throw ExportError(.invalidEntry, "The entry \(edge.size) is not the one that its hash says.")
            }
            present += 1
            if scope != nil {
                digest.append(leaf)
            }
        }
        try bundle.append(entry)
        for filled in edge.append(leaf) {
            try write(filled.tile, filled.hashes)
        }
    }

    /// Writes what is left, and the checkpoint when everything is on the disk.
    ///
    /// - Returns: How many entries are in the export.
    /// - Throws: Where there are fewer entries than the checkpoint says, they do not lead to its root, the scope is not
    ///   theirs, or a file cannot be written.
    package mutating func finish() throws(ExportError) -> UInt64 {
        guard edge.size == checkpoint.size else {
            throw ExportError(
                .wrongCount,
                "There are \(edge.size) entries, not the \(checkpoint.size) of the checkpoint."
            )
        }
        guard edge.root == checkpoint.root else {
            throw ExportError(.rootMismatch, "The entries do not have the root that the checkpoint says.")
        }
        if let scope {
            guard (scope.entries, scope.digest) == (digest.entries, digest.digest) else {
                throw ExportError(.invalidScope, "The scope is not that of the entries.")
            }
        }
        for tile in TreeEdge.partialTiles(size: edge.size) {
            try write(tile, edge.partials[tile.level])
        }
        if let scopeBytes {
            try folder.write("scope", scopeBytes)
        }
        try folder.synchronize()
        try folder.write("checkpoint", checkpointBytes)
        try folder.synchronize()
        return present
    }

    private mutating func write(_ tile: Tile, _ hashes: [MerkleHash]) throws(ExportError) {
        try folder.write(tile.path, hashes.concatenated)
        guard tile.level == 0 else { return }
        if !bundle.isEmpty {
            try folder.write(Tile.bundlePath(index: tile.index, width: tile.width), bundle.bytes)
        }
        bundle = EntryBundle()
    }
}
