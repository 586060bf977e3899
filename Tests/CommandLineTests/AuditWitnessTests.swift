import Foundation
import JSON
import MerkleLog
import Synchronization
import TestSupport
import Testing

/// `batuta audit witness` as a process: what it signs, what it refuses, and what it still knows when it is started again.
@Suite(.timeLimit(.minutes(5)))
struct AuditWitnessTests {
    private let folder = Command.temporaryURL("witness")
    private let signer: NoteSigner
    private let witness: NoteSigner

    init() throws {
        signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
        witness = try NoteSigner.generate(name: "witness.example.org", kind: .log)
    }

    /// A log of which the tests say what it shows, behind the routes of the gateway.
    private final class ShownLog: Sendable {
        private let state: Mutex<(leaves: [MerkleHash], proven: [MerkleHash]?)>
        let signer: NoteSigner

        init(_ signer: NoteSigner) {
            self.signer = signer
            state = Mutex(([], nil))
        }

        /// Shows other leaves; their proofs are those of some history, of the same one where none is named.
        func show(_ leaves: [MerkleHash], proving other: [MerkleHash]? = nil) {
            state.withLock { $0 = (leaves, other) }
        }

        func react(_ call: RecordingSink.Call) -> RecordingSink.Reaction {
            let (leaves, proven) = state.withLock { $0 }
            if call.path == "/api/audit/checkpoint" {
                return (try? note(leaves)).map { .answer(200, body: $0) } ?? .drop
            }
            guard call.path.hasPrefix("/api/audit/consistency"),
                let query = URLComponents(string: call.path)?.queryItems,
                let from = query.first(where: { $0.name == "from" })?.value.flatMap({ Int($0) })
            else {
                return .answer(201, body: "{}")
            }
            let proof = Self.proof(from, proven ?? leaves).map { "\"\($0.base64)\"" }.joined(separator: ",")
            return .answer(200, body: "{\"proof\":[\(proof)]}")
        }

        private func note(_ leaves: [MerkleHash]) throws -> String {
            let root = MerkleHash.root(over: leaves)
            let head = try Checkpoint(origin: signer.name, size: UInt64(leaves.count), root: root)
            return try SignedNote(
                text: head.text,
                signatures: [signer.sign(head.text), signer.cosigner.cosign(head.text, time: 1_795_000_000)]
            ).encoded
        }

        /// RFC 6962, section 2.1.2, as it stands there.
        private static func proof(_ from: Int, _ leaves: [MerkleHash]) -> [MerkleHash] {
            func subproof(_ from: Int, _ leaves: ArraySlice<MerkleHash>, _ isWhole: Bool) -> [MerkleHash] {
                guard from < leaves.count else {
                    return isWhole ? [] : [MerkleHash.root(over: Array(leaves))]
                }
                var split = 1
                while split * 2 < leaves.count { split *= 2 }
                let (left, right) = (leaves.prefix(split), leaves.dropFirst(split))
                return from <= split
                    ? subproof(from, left, isWhole) + [MerkleHash.root(over: Array(right))]
                    : subproof(from - split, right, false) + [MerkleHash.root(over: Array(left))]
            }
            return subproof(from, leaves[...], true)
        }
    }

    private static func leaves(_ count: Int, _ history: String = "a") -> [MerkleHash] {
        (0..<count).map { MerkleHash.leaf(Array("\(history)\($0)".utf8)) }
    }

    private func withLog(_ body: (ShownLog, RecordingSink) async throws -> Void) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let key = folder.appendingPathComponent("key").path
        let isMade = FileManager.default.createFile(
            atPath: key,
            contents: Data("\(witness.text)\n".utf8),
            attributes: [.posixPermissions: 0o600]
        )
        try #require(isMade)
        let log = ShownLog(signer)
        let script: RecordingSink.Script = { call, _ in log.react(call) }
        try await RecordingSink.with(script) { try await body(log, $0) }
    }

    private func arguments(_ sink: RecordingSink) -> [String] {
        [
            "audit", "witness", "--key", folder.appendingPathComponent("key").path, "--state", state.path, "--log-key",
            signer.verifierKey.description, "--url", sink.url, "--token", "token",
        ]
    }

    private var state: URL { folder.appendingPathComponent("seen") }

    private func look(_ sink: RecordingSink) async throws -> Command.Result {
        try await Command.run(try BuildFolder.executable("batuta"), arguments(sink) + ["--once"])
    }

    /// The sizes that the log was given signatures of.
    private func cosigned(_ sink: RecordingSink) throws -> [UInt64] {
        try sink.calls.filter { $0.method == "POST" }.map { call in
            let body = try JSONValue(parsing: Array(call.body.utf8))
            let size = try #require(body["size"]?.int64Value.flatMap { UInt64(exactly: $0) })
            let line = try NoteSignature(parsing: try #require(body["line"]?.stringValue))
            let root = MerkleHash.root(over: Self.leaves(Int(size)))
            let text = try Checkpoint(origin: signer.name, size: size, root: root).text
            #expect(try witness.cosigner.verifierKey.verify(line, of: text).time != nil)
            return size
        }
    }

    @Test func aLogThatGrowsIsCosigned() async throws {
        try await withLog { log, sink in
            for size in [3, 3, 5, 8, 300] {
                log.show(Self.leaves(size))
                let result = try await look(sink)
                #expect(result.status == 0, "\(result.output)")
                #expect(result.output.contains("signed example.com/audit with \(size) entries"), "\(result.output)")
            }
            #expect(try cosigned(sink) == [3, 3, 5, 8, 300])
        }
    }

    /// Each is refused by a witness that was started anew, as often as it is.
    @Test(
        arguments: [
            (5, "b", nil, "it has 5 entries as before, and another root"),
            (4, "a", nil, "it has 4 entries now, and had 5"),
            (9, "b", nil, "of its 9 entries the first 5 are not those of before"),
            (9, "b", "a", "of its 9 entries the first 5 are not those of before"),
        ] as [(Int, String, String?, String)]
    )
    func aContradictionIsNotSigned(_ size: Int, _ history: String, _ proven: String?, _ sentence: String) async throws {
        try await withLog { log, sink in
            log.show(Self.leaves(5))
            #expect(try await look(sink).status == 0)
            log.show(Self.leaves(size, history), proving: proven.map { Self.leaves(size, $0) })
            for _ in 1...2 {
                let refused = try await look(sink)
                #expect(refused.status == 3, "\(refused.output)")
                #expect(refused.output.contains(sentence), "\(refused.output)")
                #expect(!refused.output.contains("Usage:"), "\(refused.output)")
            }
            #expect(try cosigned(sink) == [5])
            let evidence = state.appendingPathComponent("contradiction-5-\(size).txt")
            let notes = try String(contentsOf: evidence, encoding: .utf8)
            for root in [MerkleHash.root(over: Self.leaves(5)), .root(over: Self.leaves(size, history))] {
                #expect(notes.contains(root.base64))
            }
            log.show(Self.leaves(6))
            #expect(try await look(sink).status == 0, "What continues the log is signed as before.")
        }
    }

    @Test func whatWasSeenSurvivesADeath() async throws {
        try await withLog { log, sink in
            log.show(Self.leaves(5))
            let running = try ServiceProcess(
                "batuta",
                arguments: arguments(sink) + ["--interval", "0.1"],
                environment: [:]
            )
            try await eventually("two sizes are signed") {
                let sizes = try Set(cosigned(sink))
                if sizes.contains(5) { log.show(Self.leaves(7)) }
                return sizes == [5, 7]
            }
            try await running.kill()
            log.show(Self.leaves(6))
            let refused = try await look(sink)
            #expect(refused.status == 3, "\(refused.output)")
            #expect(refused.output.contains("it has 6 entries now, and had 7"), "\(refused.output)")
        }
    }

    @Test func aCheckpointOfAnotherKeyIsNotSigned() async throws {
        try await withLog { log, sink in
            let other = ShownLog(try NoteSigner.generate(name: signer.name, kind: .log))
            other.show(Self.leaves(5))
            let script: RecordingSink.Script = { call, _ in other.react(call) }
            try await RecordingSink.with(script) { sink in
                let refused = try await look(sink)
                #expect(refused.status == 1, "\(refused.output)")
                #expect(!sink.calls.contains { $0.method == "POST" })
            }
            log.show(Self.leaves(2))
            #expect(try await look(sink).status == 0, "It has not been taken for something seen.")
        }
    }
}
