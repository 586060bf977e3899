import AuditExport
import Foundation
import MerkleLog
import TestSupport

/// What a verifier is given: an export, keys, and checkpoints that were kept.
struct VerifierInput {
    var export: TestExport
    var keys = [TestExport.signer]
    var witnesses: [NoteSigner] = []
    var known: [[UInt8]] = []

    init(_ export: TestExport, known: [[UInt8]] = []) {
        self.export = export
        self.known = known
    }

    func outcome() throws -> Outcome {
        try export.outcome(keys: keys, witnesses: witnesses, known: known)
    }
}

/// A change of an export, and what has to be found.
struct MutationCase {
    /// What was done.
    let name: String
    var input: VerifierInput
    let expected: Outcome

    init(_ name: String, _ input: VerifierInput, _ expected: Outcome) {
        self.name = name
        self.input = input
        self.expected = expected
    }
}

/// What a verifier has to say when one file of a good export was changed, worked out in the plainest way.
struct MutationOracle {
    let base: TestExport

    /// What is to be found when a file has other bytes, or is gone.
    func expected(_ path: String, _ bytes: [UInt8]?) throws -> Outcome {
        let before = base.files[path]
        if bytes == before { return .good }
        switch path {
        case "checkpoint": return try isGood(checkpoint: bytes) ? .good : .bad("checkpoint", "checkpoint")
        case "scope": return bytes == nil ? missing(after: base.entries) : .bad("scope", "scope")
        default: break
        }
        guard let before else { return .bad("file", path) }
        if path.hasPrefix("tile/entries/") { return bundle(path, bytes) }
        guard let bytes else { return .bad("file", path) }
        return bytes.count == before.count ? tile(path, before, bytes) : .bad("tile", path)
    }

    /// The signature with the time may be missing, and stand anywhere.
    private func isGood(checkpoint bytes: [UInt8]?) throws -> Bool {
        guard let bytes else { return false }
        let (log, witness) = (TestExport.signer, TestExport.signer.cosigner)
        return try [[log], [log, witness], [witness, log]].contains { try base.checkpoint(signers: $0) == bytes }
    }

    private func tile(_ path: String, _ before: [UInt8], _ bytes: [UInt8]) -> Outcome {
        guard path.hasPrefix("tile/0/") else { return .bad("tile", path) }
        let start = base.leaves.indices.first { index in
            index.isMultiple(of: 256)
                && "tile/0/" + TestTree.path(index / 256, width: min(256, base.size - index)) == path
        }
        let changed = stride(from: 0, to: bytes.count, by: 32).filter { bytes[$0..<$0 + 32] != before[$0..<$0 + 32] }
            .map { (start ?? 0) + $0 / 32 }
        // Where the entry is there, the tile alone is wrong; where it is not, nothing tells what the hash was.
        if changed.allSatisfy({ base.entries[$0] != nil }) { return .bad("tile", path) }
        if let first = changed.first(where: { base.entries[$0] != nil }) { return .bad("entry", first) }
        return .bad("tree", "checkpoint")
    }

    private func bundle(_ path: String, _ bytes: [UInt8]?) -> Outcome {
        let number = (0...base.size / 256).first { TestExport.bundlePath($0, size: base.size) == path } ?? 0
        let indexes = number * 256..<min(base.size, number * 256 + 256)
        var entries = base.entries
        if let bytes {
            guard let parsed = Self.entries(bytes, count: indexes.count) else { return .bad("bundle", path) }
            entries.replaceSubrange(indexes, with: parsed)
            let changed = indexes.first { entries[$0] != nil && entries[$0] != base.log.entries[$0] }
            if let changed { return .bad("entry", changed) }
        } else {
            for index in indexes { entries[index] = nil }
        }
        return base.tenant == nil ? missing(after: entries) : .bad("scope", "scope")
    }

    /// The entries of a file; nil where it has not the form of one.
    private static func entries(_ bytes: [UInt8], count: Int) -> [[UInt8]?]? {
        var entries: [[UInt8]?] = []
        var rest = bytes[...]
        for _ in 0..<count {
            guard rest.count >= 2 else { return nil }
            let length = Int(rest.removeFirst()) * 256 + Int(rest.removeFirst())
            guard rest.count >= length else { return nil }
            entries.append(length == 0 ? nil : Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return rest.isEmpty && entries.contains { $0 != nil } ? entries : nil
    }

    /// The first absent entry that no entry which is there says was sealed.
    private func missing(after entries: [[UInt8]?]) -> Outcome {
        let sealed = base.log.seals.filter { entries[$0.key] != nil }.values.joined()
        let first = entries.indices.first { index in
            entries[index] == nil && !sealed.contains { $0.contains(index) }
        }
        return first.map { .incomplete("missing", $0) } ?? .good
    }
}
