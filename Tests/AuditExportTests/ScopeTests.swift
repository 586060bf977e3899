import AuditExport
import Foundation
import MerkleLog
import TestSupport
import Testing

@Suite("Exports of one tenant")
struct ScopeTests {
    private let base: TestExport
    private let refused = Outcome.bad("scope", "scope")

    init() throws { base = try TestExport(TestLog(entries: 300), tenant: "acme") }

    private func outcome(scope: [UInt8]) throws -> Outcome {
        var export = base
        export.files["scope"] = scope
        return try export.outcome(witnesses: [TestExport.witness])
    }

    @Test("have the scope that the log has signed for this checkpoint")
    func notes() throws {
        let text = String(decoding: base.files["scope"] ?? [], as: UTF8.self).components(separatedBy: "\n\n")[0] + "\n"
        let (log, other) = (TestExport.signer, TestExport.key(TestExport.signer.name, seed: 8))
        #expect(try outcome(scope: TestExport.note(text, signers: [log])) == .good)
        #expect(try outcome(scope: TestExport.note(text, signers: [other])) == refused)
        #expect(try outcome(scope: TestExport.note(text, signers: [log, other])) == refused)
        #expect(try outcome(scope: TestExport.note(text, signers: [log, log])) == refused)
        #expect(try outcome(scope: Array((text + "\n").utf8)) == refused)
        #expect(try outcome(scope: []) == refused)
        #expect(try outcome(scope: base.files["checkpoint"] ?? []) == refused)
        #expect(try outcome(scope: base.scope(size: 299)) == refused)
    }

    @Test("have a scope of exactly six lines")
    func lines() throws {
        let lines = String(decoding: base.files["scope"] ?? [], as: UTF8.self).components(separatedBy: "\n").prefix(6)
        let changes: [(Int, String)] = [
            (0, "example.com/audit"), (0, "other.example/scope"), (0, "/scope"), (1, "0300"), (1, "-300"), (2, "AAAA"),
            (3, "tenant "), (3, "acme"), (3, "Tenant acme"), (3, "tenant Acme"), (3, "tenant 1acme"),
            (3, "tenant \(String(repeating: "a", count: 64))"), (3, "tenant acm\u{E9}"), (4, "entries 0150"),
            (4, "entries +150"),
            (4, "entries 149"),
            (4, "entries 99999999999999999999"), (5, "AAAA"), (5, lines[5] + "\nmore"), (4, "entries 301"),
        ]
        for (line, text) in changes {
            var changed = Array(lines)
            changed[line] = text
            let note = try TestExport.note(changed.joined(separator: "\n") + "\n", signers: [TestExport.signer])
            #expect(try outcome(scope: note) == refused, "\(text)")
        }
    }

    @Test("are signed by the log whose checkpoint is there, not by another log that is trusted")
    func otherLog() throws {
        let other = TestExport.key("other.example/audit", seed: 8)
        var export = base
        export.files["scope"] = try base.scope(signer: other)
        #expect(try export.outcome(keys: [TestExport.signer, other]) == refused)
        let text = String(decoding: base.files["scope"] ?? [], as: UTF8.self).components(separatedBy: "\n\n")[0] + "\n"
        export.files["scope"] = try TestExport.note(text, signers: [TestExport.signer, other])
        #expect(try export.outcome(keys: [TestExport.signer, other]) == refused)
        export.files["scope"] = base.files["scope"]
        #expect(try export.outcome(keys: [TestExport.signer, other]) == .good)
        export.files["checkpoint"] = try base.checkpoint(signers: [TestExport.signer, other])
        #expect(try export.outcome(keys: [TestExport.signer, other]) == .good)
        export.files["checkpoint"] = try base.checkpoint(signers: [other])
        #expect(try export.outcome(keys: [TestExport.signer, other]) == .bad("checkpoint", "checkpoint"))
    }

    @Test("have the entries of that tenant, all of them and no others")
    func entries() throws {
        var entries = base.entries
        entries[257] = nil
        var export = base
        export.files.merge(TestExport.bundles(entries)) { $1 }
        #expect(try export.outcome() == refused)
        entries[257] = base.entries[257]
        entries[256] = base.log.entries[256]
        export.files.merge(TestExport.bundles(entries)) { $1 }
        #expect(try export.outcome() == .bad("entry", 256))
        // The tenant of the scope is not that of the first entry that is there.
        export = base
        export.files["scope"] = try base.scope(tenant: "default")
        #expect(try export.outcome() == .bad("entry", 1))
        export.files["scope"] = try base.scope(count: 149)
        #expect(try export.outcome() == refused)
        export.files["scope"] = try base.scope(digest: Array(repeating: 7, count: 32))
        #expect(try export.outcome() == refused)
    }

    @Test("without their scope lack the other tenants' entries")
    func withoutScope() throws {
        var export = base
        export.files["scope"] = nil
        #expect(try export.outcome() == .incomplete("missing", 0))
    }

    @Test("need no lane to be whole")
    func lanes() throws {
        var log = TestLog()
        log.add(number: 7, tenant: "acme")
        log.add(number: 3, tenant: "acme")
        log.close("engine/a/0", at: 12)
        #expect(try TestExport(log, tenant: "acme").outcome() == .good)
        #expect(try TestExport(log).outcome() == .incomplete("gap", "engine/a/0/1/1"))
    }
}
