import Foundation
import MerkleLog
import TestSupport

/// Changes of entries, with and without the tiles that follow from them.
extension Forgery {
    /// A copy of an export with other entries, and on demand the tiles that follow from them.
    private static func replacing(
        _ base: TestExport,
        fixingTiles: Bool,
        _ change: (inout [[UInt8]?]) -> Void
    ) -> TestExport {
        var export = base
        var entries = base.entries
        change(&entries)
        export.files = export.files.filter { !$0.key.hasPrefix("tile/entries/") }
        export.files.merge(TestExport.bundles(entries)) { $1 }
        guard fixingTiles else { return export }
        let leaves = entries.enumerated().map { index, entry in entry.map { MerkleHash.leaf($0) } ?? base.leaves[index]
        }
        export.files.merge(TestTree.tiles(leaves)) { $1 }
        return export
    }

    /// Two indexes of entries that are there, the smaller one first.
    private static func pair(of base: TestExport, _ random: inout SeededGenerator) -> (Int, Int) {
        let there = base.entries.indices.filter { base.entries[$0] != nil }
        let first = there.randomElement(using: &random) ?? 0
        let second = there.filter { $0 != first }.randomElement(using: &random) ?? 0
        return (min(first, second), max(first, second))
    }

    /// An entry that is none of the log's.
    private static func invented(_ random: inout SeededGenerator) -> [UInt8] {
        TestLog(entries: 1 + Int.random(in: 0..<9, using: &random), variant: 7).entries.last ?? []
    }

    private static let tree = Outcome.bad("tree", "checkpoint")

    static let entries: [Forgery] = [
        Forgery("swap two entries") { base, random in
            let (left, right) = pair(of: base, &random)
            let export = replacing(base, fixingTiles: false) { $0.swapAt(left, right) }
            return MutationCase("\(left) and \(right)", VerifierInput(export), .bad("entry", left))
        },
        Forgery("swap two entries and their hashes") { base, random in
            let (left, right) = pair(of: base, &random)
            let export = replacing(base, fixingTiles: true) { $0.swapAt(left, right) }
            return MutationCase("\(left) and \(right)", VerifierInput(export), tree)
        },
        Forgery("put an entry in place of another") { base, random in
            let (left, right) = pair(of: base, &random)
            let export = replacing(base, fixingTiles: false) { $0[right] = $0[left] }
            return MutationCase("\(left) for \(right)", VerifierInput(export), .bad("entry", right))
        },
        Forgery("put an entry and its hash in place of another") { base, random in
            let (left, right) = pair(of: base, &random)
            let export = replacing(base, fixingTiles: true) { $0[left] = $0[right] }
            return MutationCase("\(right) for \(left)", VerifierInput(export), tree)
        },
        Forgery("change an entry and the tiles") { base, random in
            let (left, _) = pair(of: base, &random)
            let other = invented(&random)
            let export = replacing(base, fixingTiles: true) { $0[left] = other }
            return MutationCase("\(left)", VerifierInput(export), tree)
        },
        Forgery("take an entry out") { base, random in
            let (left, _) = pair(of: base, &random)
            let entry = (base.entries[left] ?? []).count
            var export = base
            let path = TestExport.bundlePath(left / 256, size: base.size)
            let before = base.entries[left / 256 * 256..<left].reduce(0) { $0 + 2 + ($1 ?? []).count }
            export.files[path]?.removeSubrange(before..<before + 2 + entry)
            return MutationCase("\(left)", VerifierInput(export), .bad("bundle", path))
        },
        Forgery("put an entry in") { base, random in
            let (left, _) = pair(of: base, &random)
            let other = invented(&random)
            var export = base
            let path = TestExport.bundlePath(left / 256, size: base.size)
            let before = base.entries[left / 256 * 256..<left].reduce(0) { $0 + 2 + ($1 ?? []).count }
            let inserted = [UInt8(other.count / 256), UInt8(other.count % 256)] + other
            export.files[path]?.insert(contentsOf: inserted, at: before)
            return MutationCase("before \(left)", VerifierInput(export), .bad("bundle", path))
        },
        Forgery("take an entry out, put another behind the last, and make the tiles follow") { base, random in
            let (left, _) = pair(of: base, &random)
            let other = invented(&random)
            let export = replacing(base, fixingTiles: true) { entries in
                entries.remove(at: left)
                entries.append(other)
            }
            // Where entries are absent, those behind have moved away from the hashes that stand for them.
            return MutationCase("\(left)", VerifierInput(export), tree)
        },
        Forgery("clear an entry's length") { base, random in
            let (left, _) = pair(of: base, &random)
            let export = replacing(base, fixingTiles: false) { $0[left] = nil }
            let path = TestExport.bundlePath(left / 256, size: base.size)
            let expected = try MutationOracle(base: base).expected(path, export.files[path])
            return MutationCase("\(left)", VerifierInput(export), expected)
        },
        Forgery("clear all lengths of a file") { base, random in
            let (left, _) = pair(of: base, &random)
            let path = TestExport.bundlePath(left / 256, size: base.size)
            var export = base
            export.files[path] = Array(repeating: 0, count: 2 * min(256, base.size - left / 256 * 256))
            return MutationCase(path, VerifierInput(export), .bad("bundle", path))
        },
        Forgery("change an entry and a tile above it") { base, random in
            let (left, _) = pair(of: base, &random)
            let path =
                base.files.keys.filter { $0.hasPrefix("tile/1/") }.min() ?? "tile/0/"
                + TestTree.path(0, width: base.size)
            let other = invented(&random)
            var export = replacing(base, fixingTiles: false) { $0[left] = other }
            export.files[path]?[0] ^= 1
            // With the tile of level 0 alone, its first hash is that of an entry, or of none that is there.
            let first = path.hasPrefix("tile/0/") && base.entries[0] != nil ? 0 : left
            return MutationCase("\(left), \(path)", VerifierInput(export), .bad("entry", first))
        },
    ]
}
