import AuditExport
import Contracts
import Domain
import Foundation
import MerkleLog

/// How fast a large export is verified, and what a proof in it costs.
struct VerificationBenchmark {
    private let count: Int

    init(count: Int) {
        self.count = count
    }

    func run() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("batuta-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let signer = try NoteSigner.generate(name: "bench.local/audit", kind: .log)
        let made = try Self.export(count, to: folder.path, signer)
        let start = ContinuousClock.now
        let verdict = try ExportVerifier(keys: ExportKeys(log: [signer.verifierKey])).verify(folder.path)
        let took = (ContinuousClock.now - start) / .seconds(1)
        guard verdict.name == "good" else {
            throw Failure()
        }
        let proofs = try Self.proofs(of: made)
        print(
            """
            {"figure":"audit_verification","entries":\(count),"entry_bytes":\(made.bytes / count),\
            "seconds":\(Self.decimal(took)),"entries_s":\(Int(Double(count) / took)),"proof_bytes":\(proofs.bytes),\
            "proof_us":\(Self.decimal(proofs.making)),"proof_check_us":\(Self.decimal(proofs.checking))}
            """
        )
    }

    /// A log that was exported: its leaf hashes, its tiles and its root.
    private struct Made {
        var leaves: [MerkleHash]
        var tiles: [Tile: [MerkleHash]]
        var root: MerkleHash
        var bytes: Int
    }

    private static func export(_ count: Int, to path: String, _ signer: NoteSigner) throws -> Made {
        var edge = TreeEdge()
        var made = Made(leaves: [], tiles: [:], root: .empty, bytes: 0)
        made.leaves.reserveCapacity(count)
        for index in 0..<count {
            let entry = entry(index)
            made.bytes += entry.count
            made.leaves.append(.leaf(entry))
        }
        for filled in edge.append(contentsOf: made.leaves) {
            made.tiles[filled.tile] = filled.hashes
        }
        for tile in TreeEdge.partialTiles(size: edge.size) {
            made.tiles[tile] = edge.partials[tile.level]
        }
        made.root = edge.root
        let checkpoint = try Checkpoint(origin: signer.name, size: edge.size, root: edge.root)
        let note = try checkpoint.signed(by: signer)
        var writer = try ExportWriter(directory: path, checkpoint: note.bytes)
        for index in 0..<count {
            try writer.append(entry(index), leaf: made.leaves[index])
        }
        _ = try writer.finish()
        return made
    }

    /// What a run leaves, one of four lanes after the other.
    private static func entry(_ index: Int) -> [UInt8] {
        var draft = AuditDraft.benchmark(UUIDv7.make(milliseconds: 1_800_000_000_000, high: 7, low: UInt64(index)))
        draft.time = Timestamp(microseconds: 1_800_000_000_000_000 + Int64(index))
        return draft.canonicalBytes(
            producer: "automation-engine/bench/\(index % 4)",
            epoch: 1,
            seq: Int64(index / 4 + 1)
        )
    }

    private static func proofs(of made: Made) throws -> (bytes: Int, making: Double, checking: Double) {
        let size = UInt64(made.leaves.count)
        var index: UInt64 = 0
        var bytes = 0
        var proof: [MerkleHash] = []
        let making = try Stopwatch.microseconds(iterations: 10_000) {
            index = (index &+ 7_919_393) % size
            proof = try InclusionPlan(index: index, size: size).proof(made.tiles)
            bytes = max(bytes, proof.count * 32)
            return proof.count
        }
        let checking = try Stopwatch.microseconds(iterations: 10_000) {
            try MerkleProof.verifyInclusion(
                of: made.leaves[Int(index)],
                index: index,
                size: size,
                proof: proof,
                root: made.root
            )
            return 1
        }
        return (bytes, making, checking)
    }

    private static func decimal(_ value: Double) -> String { String(format: "%.2f", value) }
}
