import MerkleLog

/// Reads and verifies the notes of an export, and those that were kept earlier.
struct ExportHeads {
    let keys: ExportKeys

    /// The checkpoint of an export; throws where it is none that the keys have signed.
    func head(of folder: ExportFolder) throws(ExportStop) -> ExportHead {
        let bytes: [UInt8]
        switch try Self.content("checkpoint", folder) {
        case .bytes(let content): bytes = content
        case .nothing: throw Self.refused("there is none")
        case .wrongSize: throw Self.refused("it has more than \(OpenedNote.maximumSize) bytes")
        case .directory, .irregular: throw Self.refused("it is no regular file")
        }
        do throws(NoteRefusal) {
            return try head(bytes)
        } catch {
            throw Self.refused(error.reason)
        }
    }

    /// Verifies the bytes of a checkpoint, each signature of which must be by a key that was given.
    func head(_ bytes: [UInt8]) throws(NoteRefusal) -> ExportHead {
        let note = try keys.open(bytes, unknown: .refuse)
        let checkpoint = try note.checkpoint()
        guard checkpoint.size > 0 else { throw NoteRefusal("it is that of a log without entries") }
        return ExportHead(checkpoint, note.signatures)
    }

    /// Checkpoints that were kept earlier; throws for the first that is none of the log, or larger than the export.
    func earlier(_ known: [[UInt8]], than checkpoint: Checkpoint) throws(ExportStop) -> [Checkpoint] {
        var earlier: [Checkpoint] = []
        for (position, bytes) in known.enumerated() {
            let found: Checkpoint
            do throws(NoteRefusal) {
                found = try keys.open(bytes, unknown: .ignore).checkpoint()
                guard found.origin == checkpoint.origin else { throw NoteRefusal("it is of the log \(found.origin)") }
            } catch {
                let meaning = "The earlier checkpoint number \(position + 1) is none of this log: \(error.reason)."
                throw .fault(.known, at: position + 1, meaning)
            }
            guard found.size <= checkpoint.size else {
                let meaning =
                    "The export has \(checkpoint.size) entries, the log had \(found.size) before: its tail was cut off,"
                    + " or an old checkpoint was put in place of the last one."
                throw .fault(.cut, at: found.size, meaning)
            }
            earlier.append(found)
        }
        return earlier
    }

    /// The scope of an export; nil where it has none, throws where what it has is no scope of its checkpoint.
    func scope(of folder: ExportFolder, _ checkpoint: Checkpoint) throws(ExportStop) -> ExportScope? {
        let refusal: String
        switch try Self.content("scope", folder) {
        case .nothing, .directory: return nil
        case .wrongSize: refusal = "it has more than \(OpenedNote.maximumSize) bytes"
        case .irregular: refusal = "it is no regular file"
        case .bytes(let bytes):
            do throws(NoteRefusal) {
                return try scope(bytes, checkpoint)
            } catch {
                refusal = error.reason
            }
        }
        throw .fault(.scope, at: "scope", "The scope is not one of this log and size: \(refusal).")
    }

    private func scope(_ bytes: [UInt8], _ checkpoint: Checkpoint) throws(NoteRefusal) -> ExportScope {
        let note = try keys.open(bytes, unknown: .refuse)
        guard note.signatures.allSatisfy({ $0.isBy(logNamed: checkpoint.origin) }) else {
            throw NoteRefusal("somebody else than the log has signed it")
        }
        let scope: ExportScope
        do { scope = try ExportScope(parsing: note.text) } catch { throw NoteRefusal(error) }
        guard scope.checkpoint == checkpoint else { throw NoteRefusal("it is that of another checkpoint") }
        return scope
    }

    private static func content(_ name: String, _ folder: ExportFolder) throws(ExportStop) -> ExportFolder.Content {
        try ExportStop.failing { () throws(ExportError) in
            try folder.read(name, sizes: 0...OpenedNote.maximumSize)
        }
    }

    private static func refused(_ reason: String) -> ExportStop {
        .fault(.checkpoint, at: "checkpoint", "The checkpoint is not one that the keys have signed: \(reason).")
    }
}
