import Foundation
import MerkleLog
import Synchronization
import TestSupport
import Testing

/// `batuta audit export --proofs` against gateways that do not answer as they should.
@Suite(.timeLimit(.minutes(2)))
struct ProofPagesTests {
    private static let busy = RecordingSink.Reaction.answer(
        503,
        body: #"{"code":"unavailable","detail":"It is busy."}"#
    )

    private let signer: NoteSigner
    private let folder = Command.temporaryURL("proofs")

    init() throws {
        signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
    }

    /// A page of a log with so many entries, and none of them in it.
    private func page(of size: UInt64, next: Bool) throws -> RecordingSink.Reaction {
        let head = try Checkpoint(origin: signer.name, size: size, root: .leaf([UInt8(size)]))
        let note = try SignedNote(text: head.text, signatures: [signer.sign(head.text)]).encoded
        let text = note.replacing("\n", with: "\\n")
        return .answer(
            200,
            body: #"{"checkpoint":"\#(text)","format":"batuta.audit.proofs","v":1}"# + "\n",
            headers: next ? ["link": #"</api/audit/proofs?cursor=a%20b&limit=200>; rel="next""#] : [:]
        )
    }

    /// Runs the command against a script of answers; says how it ended, what it asked for and which files it has left.
    private func export(
        _ script: [RecordingSink.Reaction],
        _ more: [String] = ["--actor", "a&b+c"],
        to option: String = "--proofs"
    ) async throws -> (result: Command.Result, asked: [String], files: [String]) {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let rest = Mutex(script[...])
        let answer: RecordingSink.Script = { _, _ in rest.withLock { $0.popFirst() } ?? Self.busy }
        return try await RecordingSink.with(answer) { sink in
            let file = folder.appendingPathComponent("file.jsonl").path
            let result = try await Command.run(
                try BuildFolder.executable("batuta"),
                ["audit", "export", option, file, "--url", sink.url, "--token", "token"] + more
            )
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            return (result, sink.calls.map(\.path), files)
        }
    }

    @Test func aPageIsAskedForAgainWhileTheGatewayIsBusy() async throws {
        let (result, asked, files) = try await export([
            Self.busy, .drop, try page(of: 3, next: true), Self.busy, try page(of: 3, next: false),
        ])
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("0 entries of a log of 3"), "\(result.output)")
        #expect(files == ["file.jsonl"])
        #expect(asked.last == "/api/audit/proofs?cursor=a%20b&limit=200")
        #expect(asked.first == "/api/audit/proofs?actor=a%26b%2Bc&limit=200")
    }

    @Test func anExportIsBegunAgainWhileTheGatewayIsBusy() async throws {
        let refused = RecordingSink.Reaction.answer(403, body: #"{"code":"forbidden","detail":"It is not yours."}"#)
        let (result, asked, _) = try await export([Self.busy, refused], [], to: "--output")
        #expect(result.status == 1 && result.output.contains("It is not yours."), "\(result.output)")
        #expect(asked == ["/api/audit/exports", "/api/audit/exports"])
    }

    @Test func pagesOfTwoCheckpointsMakeNoFile() async throws {
        let (result, _, files) = try await export([try page(of: 3, next: true), try page(of: 4, next: false)])
        #expect(result.status == 1)
        #expect(result.output.contains("different checkpoints"), "\(result.output)")
        #expect(files.isEmpty)
    }

    @Test(arguments: ["", "{}\n", "[]", "no line feed", #"{"checkpoint":"x"}"# + "\n"])
    func whatIsNoPageMakesNoFile(_ body: String) async throws {
        let (result, _, files) = try await export([.answer(200, body: body)])
        #expect(result.status == 1 && files.isEmpty, "\(result.output)")
    }

    @Test func aRefusalIsFinal() async throws {
        let refused = RecordingSink.Reaction.answer(403, body: #"{"code":"forbidden","detail":"It is not yours."}"#)
        let (result, asked, files) = try await export([try page(of: 3, next: true), refused])
        #expect(result.status == 1 && result.output.contains("It is not yours."), "\(result.output)")
        #expect(asked.count == 2 && files.isEmpty)
    }
}
