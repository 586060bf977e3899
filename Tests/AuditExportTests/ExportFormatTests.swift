import MerkleLog
import TestSupport
import Testing

@testable import AuditExport

@Suite("Parts of an export")
struct ExportFormatTests {
    @Test("files of entries are written and read")
    func bundles() throws {
        var bundle = EntryBundle()
        #expect(bundle.isEmpty)
        try bundle.append(nil)
        #expect(bundle.isEmpty)
        #expect(EntryBundle.ranges(in: bundle.bytes, count: 1) == nil)
        try bundle.append([1, 2, 3])
        try bundle.append(Array(repeating: 4, count: 65_535))
        #expect(!bundle.isEmpty)
        #expect(bundle.count == 3)
        #expect(bundle.bytes.prefix(9) == [0, 0, 0, 3, 1, 2, 3, 255, 255])
        #expect(EntryBundle.ranges(in: bundle.bytes, count: 3) == [2..<2, 4..<7, 9..<65_544])
        #expect(EntryBundle.ranges(in: bundle.bytes, count: 2) == nil)
        #expect(EntryBundle.ranges(in: bundle.bytes, count: 4) == nil)
        #expect(EntryBundle.ranges(in: bundle.bytes.dropLast(), count: 3) == nil)
        #expect(EntryBundle.ranges(in: [0], count: 1) == nil)
        #expect(throws: ExportError.self) { try bundle.append([]) }
        #expect(throws: ExportError.self) { try bundle.append(Array(repeating: 4, count: 65_536)) }
    }

    @Test("a scope is read as it is written")
    func scopes() throws {
        let head = try Checkpoint(origin: "a.example/audit", size: 9, root: .leaf([UInt8(1)]))
        var digest = ScopeDigest()
        digest.append(.leaf([UInt8(2)]))
        digest.append(.leaf([UInt8(3)]))
        let scope = try ExportScope(checkpoint: head, tenant: "acme", entries: digest.entries, digest: digest.digest)
        #expect(scope.entries == 2)
        #expect(
            scope.text
                == "a.example/audit/scope\n9\n\(head.root.base64)\ntenant acme\nentries 2\n\(digest.digest.base64)\n"
        )
        #expect(try ExportScope(parsing: scope.text) == scope)
        for (tenant, entries) in [("", 2), ("a\nb", 2), ("acme", 1 << 63)] as [(String, UInt64)] {
            #expect(throws: ExportError.self) {
                try ExportScope(checkpoint: head, tenant: tenant, entries: entries, digest: digest.digest)
            }
        }
    }

    @Test(
        "tiles come in the order of the bytes of their paths",
        arguments: [1, 255, 256, 257, 70_000, 256_001, 300_000, 256_256_000, 300_000_000] as [UInt64]
    )
    func paths(size: UInt64) {
        let sorted = Tile.all(size: size).sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        var seen: [Tile] = []
        let found = TilePathOrder.first(size: size) { tile in
            seen.append(tile)
            return seen.count > 3_000
        }
        #expect(seen == Array(sorted.prefix(3_001)))
        #expect(found == (sorted.count > 3_000 ? sorted[3_000] : nil))
    }

    @Test("the first tile that is missing of the greatest log is found at once")
    func greatest() {
        let size = UInt64(Int64.max)
        #expect(TilePathOrder.first(size: size) { _ in true }?.path == "tile/0/000")
        #expect(TilePathOrder.first(size: size) { $0.index != 999 && $0.index > 5 }?.path == "tile/0/006")
        #expect(TilePathOrder.first(size: size) { $0.index > 2_000 }?.path == "tile/0/x001/x000/000")
    }

    @Test("the first index outside of ranges is what trying each finds")
    func ranges() {
        var random = SeededGenerator.random()
        for _ in 0..<300 {
            var ranges = IndexRanges()
            var inside: Set<UInt64> = []
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let first = UInt64.random(in: 0..<60, using: &random)
                let range = first...first + UInt64.random(in: 0...9, using: &random)
                ranges.insert(range)
                inside.formUnion(range)
            }
            var asked: [ClosedRange<UInt64>] = []
            var at: UInt64 = 0
            while at < 36 {
                let last = at + UInt64.random(in: 0...3, using: &random)
                asked.append(at...last)
                at = last + UInt64.random(in: 2...9, using: &random)
            }
            let expected = asked.joined().first { !inside.contains($0) }
            #expect(ranges.firstOutside(of: asked) == expected)
        }
    }

    @Test("more ranges than are kept apart are joined")
    func manyRanges() {
        var ranges = IndexRanges()
        for index in 0..<30_000 as Range<UInt64> {
            ranges.insert(index * 3...index * 3)
            ranges.insert(index * 3 + 1...index * 3 + 1)
            ranges.insert(index * 3 + 2...index * 3 + 2)
        }
        #expect(ranges.firstOutside(of: [0...89_999]) == nil)
        #expect(ranges.firstOutside(of: [0...90_000]) == 90_000)
    }

    @Test(
        "ids that are UUIDs in lower case take 16 bytes",
        arguments: [
            ("01a1fc06-5371-7a79-a458-332cba28bf2a", true), ("01A1fc06-5371-7a79-a458-332cba28bf2a", false),
            ("01a1fc06-5371-7a79-a458-332cba28bf2", false), ("01a1fc06-5371-7a79-a458-332cba28bf2aa", false),
            ("01a1fc0605371-7a79-a458-332cba28bf2a", false), ("01a1fc06-5371-7a79-a458-332cba28bf2g", false),
            ("x", false),
        ]
    )
    func ids(text: String, isUUID: Bool) {
        let id = Array(text.utf8).withUnsafeBufferPointer { EntryID($0) }
        switch id {
        case .uuid(let high, let low):
            #expect(isUUID)
            #expect((high, low) == (0x01a1_fc06_5371_7a79, 0xa458_332c_ba28_bf2a))
        case .other: #expect(!isUUID)
        }
    }
}
