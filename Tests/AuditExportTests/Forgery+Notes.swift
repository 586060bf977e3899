import Foundation
import MerkleLog
import TestSupport

/// Changes of the checkpoint.
extension Forgery {
    /// Puts other lines in place of those of a note.
    private static func lines(_ note: [UInt8]?, _ change: (inout [String]) -> Void) -> [UInt8] {
        var lines = String(decoding: note ?? [], as: UTF8.self).components(separatedBy: "\n")
        change(&lines)
        return Array(lines.joined(separator: "\n").utf8)
    }

    /// A change of the checkpoint's text, signed anew by the log itself.
    private static func signed(
        _ name: String,
        _ text: @escaping @Sendable (TestExport) -> String
    ) -> Forgery {
        Forgery("sign a checkpoint with \(name)") { base, _ in
            var export = base
            export.files["checkpoint"] = try TestExport.note(text(base), signers: [TestExport.signer])
            return MutationCase("", VerifierInput(export), .bad("checkpoint", "checkpoint"))
        }
    }

    /// A change of the lines of the checkpoint's note.
    private static func note(
        _ name: String,
        _ change: @escaping @Sendable (inout [String], inout SeededGenerator) -> Void
    ) -> Forgery {
        Forgery("\(name) of the checkpoint") { base, random in
            var export = base
            export.files["checkpoint"] = lines(base.files["checkpoint"]) { change(&$0, &random) }
            return MutationCase("", VerifierInput(export), .bad("checkpoint", "checkpoint"))
        }
    }

    /// The same bytes in base64, with one of the bits that carry nothing set in the last character before the padding.
    private static func withFreeBits(_ base64: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var characters = Array(base64)
        let value = alphabet.firstIndex(of: characters[characters.count - 2]) ?? 0
        characters[characters.count - 2] = alphabet[value + 1]
        return String(characters)
    }

    static let notes: [Forgery] = [
        note("drop the log's signature") { lines, _ in lines.remove(at: 4) },
        note("drop all signatures") { lines, _ in lines.removeSubrange(4..<6) },
        note("double a signature") { lines, random in lines.insert(lines[Int.random(in: 4...5, using: &random)], at: 4)
        },
        note("rename a signature") { lines, random in
            let index = Int.random(in: 4...5, using: &random)
            lines[index] = lines[index].replacingOccurrences(of: "example.com", with: "example.org")
        },
        // Each of both has one sign of padding, and before it a character of which two bits carry nothing.
        note("write bits that carry nothing into a signature") { lines, _ in lines[4] = withFreeBits(lines[4]) },
        note("write bits that carry nothing into the root") { lines, _ in lines[2] = withFreeBits(lines[2]) },
        note("take the padding off a signature") { lines, _ in
            lines[4] = lines[4].replacingOccurrences(of: "=", with: "")
        },
        note("end lines as Windows does") { lines, _ in lines = lines.map { $0.isEmpty ? $0 : $0 + "\r" } },
        note("put a signature by an unknown key under the text") { lines, _ in
            lines.insert("\u{2014} unknown.example/w AAAAAAE=", at: 6)
        },
        note("put an empty line behind the signatures") { lines, _ in lines.append("") },
        signed("a zero before the size") { "\(TestExport.signer.name)\n0\($0.size)\n\($0.root.base64)\n" },
        signed("no entries") { "\(TestExport.signer.name)\n0\n\($0.root.base64)\n" },
        signed("a size beyond all sizes") { "\(TestExport.signer.name)\n9223372036854775808\n\($0.root.base64)\n" },
        signed("a fourth line") { "\(TestExport.signer.name)\n\($0.size)\n\($0.root.base64)\nmore\n" },
        signed("a sign before the size") { "\(TestExport.signer.name)\n+\($0.size)\n\($0.root.base64)\n" },
        signed("another origin") { "other.example/audit\n\($0.size)\n\($0.root.base64)\n" },
        signed("a root that is none") { "\(TestExport.signer.name)\n\($0.size)\nAAAA\n" },
        Forgery("sign a checkpoint too often") { base, _ in
            var export = base
            var input = VerifierInput(base)
            input.witnesses = (0..<16).map {
                TestExport.key("witness.example/\($0)", seed: UInt8(20 + $0)).cosigner
            }
            export.files["checkpoint"] = try base.checkpoint(signers: [TestExport.signer] + input.witnesses)
            input.export = export
            return MutationCase("", input, .bad("checkpoint", "checkpoint"))
        },
        Forgery("have an entire history of the greatest size") { base, _ in
            var export = base
            export.files["checkpoint"] = try base.checkpoint(Int.max, root: base.root)
            export.files["scope"] = nil
            let first = base.size < 256 ? "tile/0/000" : base.size < 512 ? "tile/0/001" : "tile/0/002"
            return MutationCase("", VerifierInput(export), .bad("file", first))
        },
    ]
}
