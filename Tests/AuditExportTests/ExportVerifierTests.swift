import AuditExport
import Foundation
import MerkleLog
import TestSupport
import Testing

@Suite("Good exports")
struct ExportVerifierTests {
    @Test("of every size are good", arguments: [1, 2, 3, 255, 256, 257, 511, 512, 513, 700])
    func sizes(size: Int) throws {
        let export = try TestExport(TestLog(entries: size))
        let verdict = try export.verdict()
        #expect(verdict.fault == nil)
        #expect(verdict.summary?.entries == UInt64(size))
        #expect(verdict.summary?.head.checkpoint.root == export.root)
        #expect(verdict.summary?.head.time == TestExport.time)
    }

    @Test("with two levels of full tiles are good")
    func large() throws {
        var log = TestLog(entries: 65_600, lanes: 7)
        log.seal([256...1_000, 1_001...1_001, 40_000...50_000])
        let absent = Set(256...1_001).union(40_000...50_000)
        let export = try TestExport(log, absent: absent)
        #expect(export.files["tile/2/000.p/1"] != nil)
        #expect(export.files["tile/entries/001"] == nil)
        #expect(
            try export.outcome(known: [65_536, 65_537, 1, 0, 256, 65_600].map { try export.checkpoint($0) }) == .good
        )
        #expect(try TestExport(log, tenant: "acme").outcome() == .good)
    }

    @Test("say which lanes are there, and which have ended")
    func lanes() throws {
        var log = TestLog(entries: 5, lanes: 2)
        log.add(producer: "engine/a/0", epoch: 2)
        log.close("engine/a/0")
        log.close("engine/c/0", at: 0)
        let summary = try #require(try TestExport(log).verdict().summary)
        #expect(
            summary.lanes.map { "\($0.producer) \($0.epoch) \($0.last) \($0.hasEnded)" } == [
                "engine/a/0 1 3 true", "engine/a/0 2 1 false", "engine/a/1 1 2 false", "engine/b/0 1 2 false",
            ]
        )
        #expect(summary.tenant == nil)
    }

    @Test("of one tenant are good, also where that tenant has no entries", arguments: ["default", "acme", "nobody"])
    func tenant(name: String) throws {
        var log = TestLog(entries: 600)
        log.close("engine/a/0", at: 900)
        let summary = try #require(try TestExport(log, tenant: name).verdict().summary)
        #expect(summary.tenant == name)
        #expect(summary.entries == (name == "nobody" ? 0 : 300))
        #expect(summary.lanes.isEmpty)
    }

    @Test("are compared with every checkpoint that was kept")
    func known() throws {
        let export = try TestExport(TestLog(entries: 600))
        let known = try [0, 1, 2, 255, 256, 257, 300, 512, 599, 600, 600].map { try export.checkpoint($0) }
        #expect(try export.outcome(known: known) == .good)
    }

    @Test("may have signatures of an older key of the log and of witnesses, where these are given")
    func signers() throws {
        var export = try TestExport(TestLog(entries: 3))
        let other = TestExport.key(TestExport.signer.name, seed: 9)
        let signers = [TestExport.signer, other, other.cosigner, TestExport.witness]
        export.files["checkpoint"] = try export.checkpoint(signers: signers)
        let verdict = try export.verdict(keys: [TestExport.signer, other], witnesses: [TestExport.witness])
        let witnesses = try #require(verdict.summary).head.witnesses
        #expect(witnesses.map(\.name) == ["witness.example/w"])
        #expect(witnesses.map(\.time) == [TestExport.time])
        let refused = Outcome.bad("checkpoint", "checkpoint")
        #expect(try export.outcome(keys: [TestExport.signer], witnesses: [TestExport.witness]) == refused)
        #expect(try export.outcome(keys: [TestExport.signer, other]) == refused)
        // A key of the log may be given in either form, and a witness's in one.
        #expect(
            try export.outcome(keys: [other.cosigner, TestExport.signer.cosigner], witnesses: [TestExport.witness])
                == .good
        )
        #expect(throws: ExportError.self) { try ExportKeys(log: []) }
        #expect(throws: ExportError.self) {
            try ExportKeys(log: [other.verifierKey], witnesses: [TestExport.signer.verifierKey])
        }
    }

    @Test("may be compared with checkpoints that others have signed as well")
    func knownSigners() throws {
        let export = try TestExport(TestLog(entries: 3))
        let note = String(decoding: try export.checkpoint(2), as: UTF8.self)
        let outcome: (String) throws -> Outcome = { try export.outcome(known: [Array("\(note)\($0)".utf8)]) }
        let refused = Outcome.bad("known", 1)
        #expect(try outcome("\u{2014} other.example/w AAAAAAE=\n") == .good)
        #expect(try outcome("\u{2014} other.example/w AAAAAAE=\n\u{2014} other.example/w AAAAAQE=\n") == .good)
        #expect(try outcome("\u{2014} other.example/w AAAAAAE=\n\u{2014} other.example/w AAAAAAI=\n") == refused)
        for line in [
            "other.example/w AAAAAA==", "w\u{E9} AAAAAAE=", "w\u{7F} AAAAAAE=", "w\u{85} AAAAAAE=", "w+w AAAAAAE=",
        ] {
            #expect(try outcome("\u{2014} \(line)\n") == refused, "\(line)")
        }
        let many = (0..<14).map { "\u{2014} other.example/\($0) AAAAAAE=\n" }.joined()
        #expect(try outcome(many) == .good)
        #expect(try outcome(many + "\u{2014} other.example/w AAAAAAE=\n") == refused)
        // The note has 65,536 bytes, and one more.
        let room = 65_536 - note.utf8.count - "\u{2014} w\n".utf8.count
        let signature = String(repeating: "A", count: room / 4 * 4 - 8)
        let rest = String(repeating: "w", count: room % 4 + 7)
        #expect("\(note)\u{2014} w\(rest) \(signature)\n".utf8.count == 65_536)
        #expect(try outcome("\u{2014} w\(rest) \(signature)\n") == .good)
        #expect(try outcome("\u{2014} ww\(rest) \(signature)\n") == refused)
        // A signature by a key that was given must be valid, though the others would do.
        let others = try export.checkpoint(3, signers: [TestExport.witness])
        let foreign = String(decoding: others, as: UTF8.self).components(separatedBy: "\n")[4]
        let both = [Array("\(note)\(foreign)\n".utf8)]
        #expect(try export.outcome(known: both) == .good)
        #expect(try export.outcome(witnesses: [TestExport.witness], known: both) == refused)
    }

    @Test("are compared with checkpoints of their own log only, though another is trusted as well")
    func otherLog() throws {
        let other = TestExport.key("other.example/audit", seed: 8)
        let export = try TestExport(TestLog(entries: 3))
        let foreign = try export.checkpoint(2, origin: other.name, signers: [other])
        #expect(try export.outcome(keys: [TestExport.signer, other], known: [foreign]) == .bad("known", 1))
        let both = try export.checkpoint(2, signers: [TestExport.signer, other])
        #expect(try export.outcome(keys: [TestExport.signer, other], known: [both]) == .good)
    }

    @Test("need no signature with a time, and then tell none")
    func noTime() throws {
        var export = try TestExport(TestLog(entries: 2))
        export.files["checkpoint"] = try export.checkpoint(signers: [TestExport.signer])
        let summary = try #require(try export.verdict().summary)
        #expect(summary.head.time == nil)
    }

    @Test("may have directories without files")
    func emptyDirectories() throws {
        let export = try TestExport(TestLog(entries: 2))
        try export.withDirectory { (directory) throws in
            for path in ["scope/a/b", "tile/7/x", "\u{301}"] {
                try FileManager.default.createDirectory(
                    at: directory.appendingPathComponent(path),
                    withIntermediateDirectories: true
                )
            }
            let keys = try ExportKeys(log: [TestExport.signer.verifierKey])
            #expect(try ExportVerifier(keys: keys).verify(directory.path).fault == nil)
        }
    }

    @Test("tell how far the verification is")
    func progress() throws {
        try TestExport(TestLog(entries: 600)).withDirectory { (directory) throws in
            var told: [[UInt64]] = []
            let keys = try ExportKeys(log: [TestExport.signer.verifierKey])
            _ = try ExportVerifier(keys: keys).verify(directory.path) { told.append([$0, $1]) }
            #expect(told == [[256, 600], [512, 600], [600, 600]])
        }
    }
}
