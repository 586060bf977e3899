import Crypto
import Foundation
import MerkleLog
import TestSupport
import Testing

/// `batuta audit export --output` against a gateway that takes its time.
@Suite(.timeLimit(.minutes(2)))
struct AuditExportCommandTests {
    private static let entry =
        #"{"action":"create","actor":{"id":"w","type":"worker"},"after":null,"before":null,"epoch":1,"#
        + #""id":"1","object":{"id":"1","type":"action"},"outcome":"done","producer":"engine/a/0","seq":1,"#
        + #""tenant":"acme","time":"2026-11-21T01:29:15.123456Z","v":1}"#

    @Test func theScopeIsWaitedFor() async throws {
        let signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
        let leaf = MerkleHash.leaf(Array(Self.entry.utf8))
        let head = try Checkpoint(origin: signer.name, size: 1, root: leaf)
        let digest = Data(SHA256.hash(data: leaf.bytes)).base64EncodedString()
        let scope = "\(signer.name)/scope\n1\n\(leaf.base64)\ntenant acme\nentries 1\n\(digest)\n"
        func note(_ text: String) throws -> String {
            try SignedNote(text: text, signatures: [signer.sign(text)]).encoded.replacing("\n", with: "\\n")
        }
        let id = UUID().uuidString.lowercased()
        let begun = #""export_id":"\#(id)","size":1,"checkpoint":"\#(try note(head.text))""#
        let known = #"{\#(begun),"scope":"\#(try note(scope))"}"#
        let script: RecordingSink.Script = { call, _ in
            switch call.path {
            case "/api/audit/exports": .answer(201, body: #"{\#(begun),"looked_through":0}"#)
            case "/api/audit/exports/\(id)": .answer(200, body: known)
            default: .answer(200, body: #"{"items":[{"leaf_index":0,"entry":\#(Self.entry)}],"next":null}"#)
            }
        }
        let folder = Command.temporaryURL("export")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await RecordingSink.with(script) { sink in
            let batuta = try BuildFolder.executable("batuta")
            let exported = try await Command.run(
                batuta,
                ["audit", "export", "--output", folder.path, "--url", sink.url, "--token", "token"]
            )
            #expect(exported.status == 0, "\(exported.output)")
            #expect(sink.calls.map(\.path).contains("/api/audit/exports/\(id)"))
            let verified = try await Command.run(
                batuta,
                ["audit", "verify", folder.path, "--key", signer.verifierKey.description]
            )
            #expect(verified.status == 0, "\(verified.output)")
            #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("scope").path))
        }
    }
}
