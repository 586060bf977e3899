import Foundation
import MerkleLog
import TestSupport

/// Other histories, and heads of another time or by another key.
extension Forgery {
    static let histories: [Forgery] = [
        Forgery("cut the tail, with an old checkpoint") { base, random in
            let size = Int.random(in: 1..<base.size, using: &random)
            let export = try TestExport(base.log.prefix(size), tenant: base.tenant)
            let known = try [base.checkpoint(size), base.checkpoint()]
            return MutationCase("\(size)", VerifierInput(export, known: known), .bad("cut", base.size))
        },
        Forgery("replay an old checkpoint") { base, random in
            let size = Int.random(in: 1..<base.size, using: &random)
            var export = base
            export.files["checkpoint"] = try base.checkpoint(size)
            export.files["scope"] = nil
            // Only the width of the last tiles may be wrong, in the order of their paths.
            let paths = Set(export.files.keys)
            let needed = Set(TestTree.tiles(Array(base.leaves.prefix(size))).keys)
            let allowed = needed.union(["checkpoint"]).union(
                (0...(size - 1) / 256).map { TestExport.bundlePath($0, size: size) }
            )
            let wrong = needed.subtracting(paths).union(paths.subtracting(allowed))
            let first = wrong.min { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return MutationCase("\(size)", VerifierInput(export), .bad("file", first ?? "none"))
        },
        Forgery("show two heads of one size") { base, random in
            let size = Int.random(in: 1...base.size, using: &random)
            let known = try [base.checkpoint(), base.checkpoint(size, root: .leaf([UInt8(size & 0xff)]))]
            return MutationCase("\(size)", VerifierInput(base, known: known), .bad("fork", size))
        },
        Forgery("sign another history anew") { base, random in
            let size = Int.random(in: 1...base.size, using: &random)
            var log = TestLog(variant: 6)
            for tenant in base.log.tenants { log.add(tenant: tenant) }
            let export = try TestExport(log, tenant: base.tenant)
            let known = try [export.checkpoint(base.size), base.checkpoint(size)]
            return MutationCase("\(size)", VerifierInput(export, known: known), .bad("fork", size))
        },
        Forgery("name an empty log with a root") { base, _ in
            let known = try [base.checkpoint(0), base.checkpoint(0, root: .leaf([UInt8]()))]
            return MutationCase("", VerifierInput(base, known: known), .bad("fork", 0))
        },
        Forgery("verify with another key") { base, _ in
            var input = VerifierInput(base)
            input.keys = [TestExport.key(TestExport.signer.name, seed: 3)]
            return MutationCase("", input, .bad("checkpoint", "checkpoint"))
        },
        Forgery("sign with another key") { base, random in
            let name = Bool.random(using: &random) ? TestExport.signer.name : "other.example/audit"
            let other = TestExport.key(name, seed: 4)
            var export = base
            export.files["checkpoint"] = try base.checkpoint(signers: [other, other.cosigner])
            return MutationCase(name, VerifierInput(export), .bad("checkpoint", "checkpoint"))
        },
        Forgery("keep what is no checkpoint of the log") { base, random in
            let other = TestExport.key("other.example/audit", seed: 4)
            let wrong = try [
                [], Array("x".utf8), base.checkpoint(origin: other.name, signers: [other]),
                base.checkpoint(signers: [other]),
                base.checkpoint(signers: [TestExport.signer.cosigner]), base.checkpoint() + [10],
                base.scope(tenant: "default"), Array(repeating: 10, count: 70_000),
            ]
            let one = wrong.randomElement(using: &random) ?? []
            let known = try [base.checkpoint(1), one, base.checkpoint(base.size, root: .empty)]
            return MutationCase("", VerifierInput(base, known: known), .bad("known", 2))
        },
    ]
}
