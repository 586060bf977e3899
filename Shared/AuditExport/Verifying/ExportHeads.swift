import MerkleLog

/// Reads and verifies the notes of an export, and those that were kept earlier.
struct ExportHeads {
    let keys: ExportKeys

    /// The checkpoint of an export; throws where it is none that the keys have signed.
    func head(of folder: ExportFolder) throws(ExportFault) -> ExportHead {
        let content = folder.read("checkpoint", sizes: 0...OpenedNote.maximumSize)
        do throws(NoteRefusal) {
            guard case .bytes(let bytes) = content else { throw NoteRefusal(content.refusal ?? "") }
            return try head(bytes)
        } catch {
            let meaning = "The checkpoint is not one that the keys have signed: \(error.reason)."
            throw ExportFault(.checkpoint, at: "checkpoint", meaning)
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
    func earlier(_ known: [[UInt8]], than checkpoint: Checkpoint) throws(ExportFault) -> [Checkpoint] {
        var earlier: [Checkpoint] = []
        for (position, bytes) in known.enumerated() {
            let found: Checkpoint
            do throws(NoteRefusal) {
                found = try keys.open(bytes, unknown: .ignore).checkpoint()
                guard found.origin == checkpoint.origin else { throw NoteRefusal("it is of the log \(found.origin)") }
            } catch {
                let meaning = "The earlier checkpoint number \(position + 1) is none of this log: \(error.reason)."
                throw ExportFault(.known, at: position + 1, meaning)
            }
            guard found.size <= checkpoint.size else {
                let meaning =
                    "The export has \(checkpoint.size) entries, the log had \(found.size) before: its tail was cut off,"
                    + " or an old checkpoint was put in place of the last one."
                throw ExportFault(.cut, at: found.size, meaning)
            }
            earlier.append(found)
        }
        return earlier
    }

    /// The scope of an export; nil where it has none, throws where what it has is no scope of its checkpoint.
    func scope(of folder: ExportFolder, _ checkpoint: Checkpoint) throws(ExportFault) -> ExportScope? {
        let content = folder.read("scope", sizes: 0...OpenedNote.maximumSize)
        do throws(NoteRefusal) {
            switch content {
            case .nothing, .directory: return nil
            case .bytes(let bytes): return try scope(bytes, checkpoint)
            case .irregular, .wrongSize, .unreadable: throw NoteRefusal(content.refusal ?? "")
            }
        } catch {
            let meaning = "The scope is not one of this log and size: \(error.reason)."
            throw ExportFault(.scope, at: "scope", meaning)
        }
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
}
