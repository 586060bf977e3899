import AuditExport
import Crypto
import Foundation
import MerkleLog
import TestSupport

/// The files of an export, which tests change before they are written.
struct TestExport {
    /// The time at which the log signs.
    static let time: UInt64 = 1_795_000_000

    /// The log's key.
    static let signer = key("example.com/audit", seed: 1)

    /// The key of a witness.
    static let witness = key("witness.example/w", seed: 2).cosigner

    /// A key that follows from a number, and protects nothing.
    static func key(_ name: String, seed: UInt8) -> NoteSigner {
        do {
            return try NoteSigner(name: name, kind: .log, seed: Array(repeating: seed, count: 32))
        } catch {
            preconditionFailure(error.message)
        }
    }

    let log: TestLog
    let leaves: [MerkleHash]
    let root: MerkleHash

    /// The tenant whose entries alone are there.
    let tenant: String?

    /// For each index the entry, if it is there.
    let entries: [[UInt8]?]

    /// The content of each file by its path.
    var files: [String: [UInt8]] = [:]

    /// Makes the export of a log: of all entries but some, or of one tenant's.
    init(_ log: TestLog, absent: Set<Int> = [], tenant: String? = nil, signer: NoteSigner = signer) throws {
        self.log = log
        self.tenant = tenant
        leaves = log.entries.map { MerkleHash.leaf($0) }
        root = TestTree.root(leaves[...])
        entries = log.entries.enumerated().map { index, entry in
            absent.contains(index) || log.tenants[index] != tenant ?? log.tenants[index] ? nil : entry
        }
        files = TestTree.tiles(leaves)
        for (path, bytes) in Self.bundles(entries) {
            files[path] = bytes
        }
        files["checkpoint"] = try checkpoint(signers: [signer, signer.cosigner])
        if tenant != nil {
            files["scope"] = try scope(signer: signer)
        }
    }

    var size: Int { leaves.count }

    /// The files of entries, by path.
    static func bundles(_ entries: [[UInt8]?]) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for start in stride(from: 0, to: entries.count, by: 256) {
            let part = entries[start..<min(start + 256, entries.count)]
            guard part.contains(where: { $0 != nil }) else { continue }
            files[bundlePath(start / 256, size: entries.count)] = part.flatMap { entry in
                let length = entry?.count ?? 0
                return [UInt8(length / 256), UInt8(length % 256)] + (entry ?? [])
            }
        }
        return files
    }

    /// The path of the entries of a tile of level 0.
    static func bundlePath(_ index: Int, size: Int) -> String {
        "tile/entries/\(TestTree.path(index, width: min(256, size - index * 256)))"
    }

    /// The note of a checkpoint over the first entries, all of them by default.
    func checkpoint(
        _ size: Int? = nil,
        root: MerkleHash? = nil,
        origin: String = signer.name,
        time: UInt64 = time,
        signers: [NoteSigner] = [signer, signer.cosigner]
    ) throws -> [UInt8] {
        let size = size ?? self.size
        let head = root ?? (size == self.size ? self.root : TestTree.root(leaves.prefix(size)))
        return try Self.note("\(origin)\n\(size)\n\(head.base64)\n", time: time, signers: signers)
    }

    /// A note with signatures in the order of the keys.
    static func note(_ text: String, time: UInt64 = time, signers: [NoteSigner]) throws -> [UInt8] {
        let signatures = try signers.map { signer in
            signer.kind == .log ? try signer.sign(text) : try signer.cosign(text, time: time)
        }
        return try SignedNote(text: text, signatures: signatures).bytes
    }

    /// The note of the scope.
    func scope(
        tenant: String? = nil,
        count: Int? = nil,
        digest: [UInt8]? = nil,
        size: Int? = nil,
        signer: NoteSigner = signer
    ) throws -> [UInt8] {
        let present = entries.indices.filter { entries[$0] != nil }
        let digest = digest ?? Array(SHA256.hash(data: present.flatMap { leaves[$0].bytes }))
        let text =
            "\(Self.signer.name)/scope\n\(size ?? self.size)\n\(root.base64)\ntenant \(tenant ?? self.tenant ?? "")\n"
            + "entries \(count ?? present.count)\n\(Data(digest).base64EncodedString())\n"
        return try Self.note(text, signers: [signer])
    }

    /// The lines of a file of entries with proofs.
    func proofs(_ indexes: [Int]) -> [[UInt8]] {
        let head = ProofsLine.head(checkpoint: String(decoding: files["checkpoint"] ?? [], as: UTF8.self))
        return [head]
            + indexes.map { index in
                let proof = TestTree.inclusion(index, leaves[...])
                return ProofsLine.entry(log.entries[index], index: UInt64(index), proof: proof)
            }
    }

    /// Writes the files to a directory that is made.
    func write(to directory: URL) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for (path, bytes) in files {
            let file = directory.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(bytes).write(to: file)
        }
    }

    /// Writes the export, has a closure look at it, and removes it.
    func withDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let directory = Command.temporaryURL("export")
        defer { try? FileManager.default.removeItem(at: directory) }
        try write(to: directory)
        return try body(directory)
    }

    /// Writes and verifies the export.
    func verdict(
        keys: [NoteSigner] = [signer],
        witnesses: [NoteSigner] = [],
        known: [[UInt8]] = []
    ) throws -> ExportVerdict {
        try withDirectory { directory in
            let keys = try ExportKeys(log: keys.map(\.verifierKey), witnesses: witnesses.map(\.verifierKey))
            return try ExportVerifier(keys: keys, known: known).verify(directory.path)
        }
    }

    /// Writes and verifies the export, and gives what the format says of the result.
    func outcome(
        keys: [NoteSigner] = [signer],
        witnesses: [NoteSigner] = [],
        known: [[UInt8]] = []
    ) throws -> Outcome {
        try Outcome(verdict(keys: keys, witnesses: witnesses, known: known))
    }
}

/// What the format says of the result of a verification: two verifiers have to agree on it.
struct Outcome: Hashable, CustomStringConvertible {
    let verdict: String
    let fault: String?
    let place: String?

    static let good = Outcome("good", nil, nil)

    init(_ verdict: String, _ fault: String?, _ place: String?) {
        self.verdict = verdict
        self.fault = fault
        self.place = place
    }

    init(_ verdict: ExportVerdict) {
        self.init(verdict.name, verdict.fault?.code.rawValue, verdict.fault?.place)
    }

    init(_ verdict: ProofsVerdict) {
        self.init(verdict.name, verdict.fault?.code.rawValue, verdict.fault?.place)
    }

    /// The log or the export was changed.
    static func bad(_ fault: String, _ place: some CustomStringConvertible) -> Outcome {
        Outcome("bad", fault, place.description)
    }

    /// Something is missing.
    static func incomplete(_ fault: String, _ place: some CustomStringConvertible) -> Outcome {
        Outcome("incomplete", fault, place.description)
    }

    var description: String { [verdict, fault, place].compactMap(\.self).joined(separator: " ") }
}
