import Foundation
import TestSupport

/// Changes of one file of an export.
struct RandomMutations {
    let bases: [TestExport]

    /// Paths that no export of these sizes has.
    private static let strange = [
        "a", "checkpoint.old", "tile/0/999", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/0", "tile/00/000",
        "tile/8/000",
        "tile/9/000", "tile/a", "tile/0/x000/000", "tile/entries/999", "tile/entries/a", "tile/entries/000.p/0",
        "zz/a/b/c",
        "tile/-1/000", "tile/0/+00", "Scope", "tile/0/000 ", "tile/1/000.p/9/x", "\u{301}", "tile/0/001\n",
    ]

    /// One change of one file, and what is to be found.
    func next(using random: inout SeededGenerator) throws -> MutationCase {
        let base = bases.randomElement(using: &random) ?? bases[0]
        var export = base
        var path = Self.path(of: base, using: &random)
        let name: String
        switch Int.random(in: 0..<16, using: &random) {
        case 0:
            name = "delete"
            export.files[path] = nil
        case 1:
            name = "add"
            path = Self.strange.filter { base.files[$0] == nil }.randomElement(using: &random) ?? ""
            export.files[path] = Self.bytes(using: &random)
        default:
            var bytes = base.files[path] ?? []
            name = Self.change(&bytes, using: &random)
            export.files[path] = bytes
        }
        let expected = try MutationOracle(base: base).expected(path, export.files[path])
        return MutationCase("\(name) \(path) of \(base.size)", VerifierInput(export), expected)
    }

    /// A file of any kind, of which some have many.
    private static func path(of base: TestExport, using random: inout SeededGenerator) -> String {
        let kinds = ["checkpoint", "scope", "tile/0/", "tile/1/", "tile/entries/"].map { kind in
            base.files.keys.filter { $0.hasPrefix(kind) }.sorted()
        }
        let paths = kinds.filter { !$0.isEmpty }.randomElement(using: &random) ?? []
        return paths.randomElement(using: &random) ?? ""
    }

    private static func bytes(using random: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...70, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// Changes bytes in one of many ways, which may change nothing; says how.
    private static func change(_ bytes: inout [UInt8], using random: inout SeededGenerator) -> String {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        let length = Int.random(in: 1...min(40, bytes.count - at), using: &random)
        let range = at..<at + length
        switch Int.random(in: 0..<13, using: &random) {
        case 0, 1, 2:
            bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            return "flip a bit of"
        case 3:
            bytes[at] = UInt8.random(in: 0...255, using: &random)
            return "set a byte of"
        case 4:
            bytes.removeSubrange(range)
            return "delete bytes of"
        case 5:
            bytes.insert(contentsOf: self.bytes(using: &random), at: at)
            return "insert bytes into"
        case 6:
            bytes.insert(contentsOf: bytes[range], at: at)
            return "double bytes of"
        case 7:
            let other = Int.random(in: 0...bytes.count - length, using: &random)
            for offset in 0..<length { bytes.swapAt(at + offset, other + offset) }
            return "swap bytes of"
        case 8:
            bytes.removeSubrange(at...)
            return "truncate"
        case 9:
            bytes += self.bytes(using: &random)
            return "extend"
        case 10:
            bytes.replaceSubrange(range, with: repeatElement(0, count: length))
            return "clear bytes of"
        case 11:
            bytes.insert(UInt8(ascii: "\n"), at: at)
            return "insert a line feed into"
        default:
            bytes.reverse()
            return "reverse"
        }
    }
}
