import AuditExport
import Foundation
import MerkleLog
import TestSupport
import Testing

@Suite("Changed exports")
struct MutationTests {
    /// Exports that are good: small and large, with entries that were sealed, lanes that have ended, and of one tenant.
    static func bases() throws -> [TestExport] {
        var closed = TestLog(entries: 20, lanes: 2)
        closed.close("engine/a/0")
        closed.close("engine/a/1")
        closed.add(producer: "engine/a/0", epoch: 2)
        var sealed = TestLog(entries: 300)
        sealed.seal([40...80, 81...81])
        sealed.add()
        var bundle = TestLog(entries: 520)
        bundle.seal([0...299])
        bundle.close("engine/a/1")
        return try [
            TestExport(TestLog(entries: 2)), TestExport(closed), TestExport(sealed, absent: Set(40...81)),
            TestExport(bundle, absent: Set(0...299)), TestExport(sealed, tenant: "acme"),
            TestExport(TestLog(entries: 257)),
        ]
    }

    @Test("were good before")
    func good() throws {
        for base in try Self.bases() {
            #expect(try base.outcome() == .good)
        }
    }

    @Test("in one file are all found, with the fault and the place that the format says")
    func random() throws {
        var random = SeededGenerator.random()
        let mutations = try RandomMutations(bases: Self.bases())
        var counts: [String: Int] = [:]
        for _ in 0..<500 {
            let mutation = try mutations.next(using: &random)
            #expect(try mutation.input.outcome() == mutation.expected, "\(mutation.name)")
            counts[mutation.expected.fault ?? "none", default: 0] += 1
        }
        #expect(counts["none", default: 0] < 40, "\(counts)")
        for fault in ["checkpoint", "scope", "file", "tile", "bundle", "entry"] {
            #expect(counts[fault, default: 0] > 0, "\(counts)")
        }
    }

    @Test("on purpose are all found, with the fault and the place that the format says")
    func forgeries() throws {
        var random = SeededGenerator.random()
        let bases = try Self.bases()
        var count = 0
        for forgery in Forgery.all {
            for base in bases {
                let mutation = try forgery.make(base, &random)
                let outcome = try mutation.input.outcome()
                #expect(outcome == mutation.expected, "\(forgery.name) \(mutation.name) of \(base.size)")
                count += 1
            }
        }
        #expect(count >= 400)
    }

    @Test("in several places are told in the order in which the format looks at them")
    func order() throws {
        let base = try TestExport(TestLog(entries: 600))
        let outcome: ([String]) throws -> Outcome = { paths in
            var export = base
            for path in paths { export.files[path]?.append(0) }
            return try export.outcome(known: [base.checkpoint(0, root: .leaf([UInt8]()))])
        }
        let (first, last, above) = ("tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2")
        #expect(try outcome([]) == .bad("fork", 0))
        #expect(try outcome(["tile/entries/000", "tile/entries/001", last]) == .bad("tile", last))
        #expect(try outcome(["tile/entries/000", above]) == .bad("tile", above))
        #expect(try outcome([above, last, first]) == .bad("tile", first))
        #expect(try outcome([above, last]) == .bad("tile", last))
        #expect(try outcome(["tile/entries/001", "tile/entries/002.p/88"]) == .bad("bundle", "tile/entries/001"))
        var export = base
        export.files["tile/entries/000"]?[9] ^= 1
        export.files["tile/entries/002.p/88"]?.append(0)
        #expect(try export.outcome() == .bad("bundle", "tile/entries/002.p/88"))
    }

    @Test("in a log with tiles on three levels are found")
    func large() throws {
        let base = try TestExport(TestLog(entries: 65_537))
        let changes: [(String, Int, Outcome)] = [
            ("tile/2/000.p/1", 3, .bad("tile", "tile/2/000.p/1")), ("tile/1/000", 8_191, .bad("tile", "tile/1/000")),
            ("tile/0/256.p/1", 0, .bad("tile", "tile/0/256.p/1")), ("tile/entries/255", 2, .bad("entry", 65_280)),
        ]
        for (path, offset, expected) in changes {
            var export = base
            export.files[path]?[offset] ^= 0x10
            #expect(try export.outcome() == expected, "\(path)")
        }
    }
}
