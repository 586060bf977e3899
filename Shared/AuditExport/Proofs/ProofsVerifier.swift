import JSON
import MerkleLog

/// Verifies entries with proofs: that each of them is in the log.
///
/// That none was left out, nobody can tell.
package struct ProofsVerifier: Sendable {
    private let heads: ExportHeads

    /// The most bytes of a line; an entry may take six bytes for each of its own.
    private static let maximumLine = 1 << 20

    /// Takes the keys that are trusted.
    package init(keys: ExportKeys) { heads = ExportHeads(keys: keys) }

    /// Verifies a file, line by line.
    ///
    /// - Parameter path: The file.
    /// - Returns: The verdict.
    /// - Throws: Where the system keeps it from being found.
    package func verify(_ path: String) throws(ExportError) -> ProofsVerdict {
        let file = try LineFile(path)
        let head: ExportHead
        let first = try file.next(maximumSize: Self.maximumLine)
        do throws(NoteRefusal) {
            head = try self.head(first)
        } catch {
            let meaning = "The first line is no checkpoint that the keys have signed: \(error.reason)."
            return .bad(ExportFault(.checkpoint, at: "checkpoint", meaning))
        }
        var count: UInt64 = 0
        while let line = try file.next(maximumSize: Self.maximumLine) {
            count += 1
            var place = "line \(count + 1)"
            do throws(NoteRefusal) {
                let item = try Self.object(line)
                let index = try Self.index(of: item)
                place = String(index)
                try Self.check(item, index: index, head.checkpoint)
            } catch {
                let meaning = "What line \(count + 1) holds is not proved to be in the log: \(error.reason)."
                return .bad(ExportFault(.entry, at: place, meaning))
            }
        }
        return .good(ProofsSummary(head: head, entries: count))
    }

    private func head(_ line: LineFile.Line?) throws(NoteRefusal) -> ExportHead {
        guard let line else { throw NoteRefusal("the file is empty") }
        let item = try Self.object(line)
        guard item["format"]?.isString(ProofsLine.format) == true, item["v"]?.int64Value == ProofsLine.version else {
            throw NoteRefusal("it does not say that the format is \(ProofsLine.format), version \(ProofsLine.version)")
        }
        guard let checkpoint = item["checkpoint"]?.withStringUTF8({ Array($0) }) else {
            throw NoteRefusal("it has no checkpoint")
        }
        return try heads.head(checkpoint)
    }

    private static func object(_ line: LineFile.Line) throws(NoteRefusal) -> JSONView {
        guard case .bytes(let bytes) = line else { throw NoteRefusal("it has more than \(maximumLine) bytes") }
        guard
            let document = try? JSONDocument(parsing: bytes, limits: .wrapped),
            document.root.kind == .object, document.isCanonical
        else {
            throw NoteRefusal("it is no object of JSON in canonical form")
        }
        return document.root
    }

    private static func index(of item: JSONView) throws(NoteRefusal) -> UInt64 {
        guard let index = item["index"]?.int64Value, (0..<(1 << 53)).contains(index) else {
            throw NoteRefusal("it has no index")
        }
        return UInt64(index)
    }

    private static func check(_ item: JSONView, index: UInt64, _ checkpoint: Checkpoint) throws(NoteRefusal) {
        guard let leaf = item["entry"]?.withStringUTF8({ MerkleHash.leaf($0) }) else {
            throw NoteRefusal("it has no entry")
        }
        guard let list = item["proof"], list.kind == .array, list.count <= MerkleProof.maximumCount else {
            throw NoteRefusal("it has no proof")
        }
        let proof = list.elements.compactMap { $0.stringValue.flatMap { MerkleHash(base64: $0) } }
        guard proof.count == list.count else { throw NoteRefusal("its proof is not a list of hashes in base64") }
        do {
            try MerkleProof.verifyInclusion(
                of: leaf,
                index: index,
                size: checkpoint.size,
                proof: proof,
                root: checkpoint.root
            )
        } catch {
            throw NoteRefusal(error)
        }
    }
}
