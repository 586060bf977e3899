import AuditExport
import Crypto
import Foundation
import MerkleLog
import TestSupport
import Testing

@Suite(
    "The verifier in another language",
    .enabled(if: IndependentVerifier.isThere, "Tests/AuditVerifier/verify_export.py is not here.")
)
struct IndependentVerifierTests {
    /// Verifies each with both, and expects the same verdict, fault and place.
    private func compare(_ cases: [(name: String, input: VerifierInput)]) async throws {
        let root = Command.temporaryURL("compared")
        defer { try? FileManager.default.removeItem(at: root) }
        var arguments: [[String]] = []
        var expected: [Outcome] = []
        for (number, entry) in cases.enumerated() {
            let folder = root.appendingPathComponent("\(number)")
            arguments.append(try entry.input.write(to: folder))
            expected.append(try entry.input.outcome(writtenTo: folder))
        }
        let outcomes = try await IndependentVerifier.outcomes(arguments)
        #expect(outcomes.count == cases.count)
        for ((entry, ours), other) in zip(zip(cases, expected), outcomes) {
            #expect(ours == other, "\(entry.name): \(ours), the other verifier: \(other)")
        }
    }

    @Test("agrees on good exports, and on changes of them at random")
    func random() async throws {
        var random = SeededGenerator.random()
        let bases = try MutationTests.bases()
        let mutations = RandomMutations(bases: bases)
        var cases = try bases.map { base in
            ("good of \(base.size)", VerifierInput(base, known: [try base.checkpoint(1), try base.checkpoint()]))
        }
        for _ in 0..<240 {
            let mutation = try mutations.next(using: &random)
            cases.append((mutation.name, mutation.input))
        }
        try await compare(cases)
    }

    @Test("agrees on changes on purpose")
    func forgeries() async throws {
        var random = SeededGenerator.random()
        let bases = try MutationTests.bases()
        var cases: [(String, VerifierInput)] = []
        for forgery in Forgery.all {
            for base in bases.shuffled(using: &random).prefix(2) {
                cases.append((forgery.name, try forgery.make(base, &random).input))
            }
        }
        try await compare(cases)
    }

    @Test("agrees on what is an entry")
    func entries() async throws {
        var random = SeededGenerator.random()
        var cases: [(String, VerifierInput)] = []
        for _ in 0..<250 {
            var log = TestLog(entries: 3, lanes: 1)
            log.replace(1, NoisyEntry.bytes(of: log.entries[1], using: &random))
            cases.append((String(decoding: log.entries[1], as: UTF8.self), VerifierInput(try TestExport(log))))
        }
        try await compare(cases)
    }

    @Test("agrees on what is missing")
    func completeness() async throws {
        var random = SeededGenerator.random()
        var cases: [(String, VerifierInput)] = []
        for _ in 0..<120 {
            let (log, absent) = RandomLog.make(using: &random)
            let tenant = Int.random(in: 0..<6, using: &random) == 0 ? "default" : nil
            cases.append(
                ("absent \(absent.sorted())", VerifierInput(try TestExport(log, absent: absent, tenant: tenant)))
            )
        }
        try await compare(cases)
    }
}

extension IndependentVerifierTests {
    @Test("agrees on checkpoints that others have signed as well")
    func known() async throws {
        var random = SeededGenerator.random()
        let export = try TestExport(TestLog(entries: 4))
        var cases: [(String, VerifierInput)] = []
        for _ in 0..<120 {
            var note = try export.checkpoint(Int.random(in: 0...5, using: &random), root: .empty)
            if Bool.random(using: &random) { note = try export.checkpoint(3) }
            for _ in 0..<Int.random(in: 1...3, using: &random) { note += NoisyNote.line(using: &random) }
            cases.append((String(decoding: note, as: UTF8.self), VerifierInput(export, known: [note])))
        }
        try await compare(cases)
    }

    @Test("agrees on scopes that the log has signed")
    func scopes() async throws {
        var random = SeededGenerator.random()
        let base = try TestExport(TestLog(entries: 4), tenant: "acme")
        let lines = String(decoding: base.files["scope"] ?? [], as: UTF8.self).components(separatedBy: "\n").prefix(6)
        var cases: [(String, VerifierInput)] = []
        while cases.count < 120 {
            var changed = Array(lines)
            let index = Int.random(in: 0..<6, using: &random)
            var bytes = Array(changed[index].utf8)
            NoisyNote.change(&bytes, using: &random)
            changed[index] = String(decoding: bytes, as: UTF8.self)
            let text = changed.joined(separator: "\n") + "\n"
            var export = base
            // The log's own key signs no text with control characters.
            guard let note = try? TestExport.note(text, signers: [TestExport.signer]) else { continue }
            export.files["scope"] = note
            cases.append((text, VerifierInput(export)))
        }
        try await compare(cases)
    }

    @Test("agrees on entries with proofs")
    func proofs() async throws {
        var random = SeededGenerator.random()
        let export = try TestExport(TestLog(entries: 21))
        var files: [[UInt8]] = []
        for _ in 0..<150 {
            var lines = export.proofs([0, 20, Int.random(in: 0...20, using: &random)])
            let line = Int.random(in: 0..<lines.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: break
            case 1: lines.swapAt(line, lines.count - 1)
            case 2: lines.remove(at: line)
            case 3: NoisyEntry.replaceValue(&lines[line], with: NoisyEntry.piece(using: &random), using: &random)
            default: NoisyNote.change(&lines[line], using: &random)
            }
            files.append(Array(lines.joined()))
        }
        // What is as long as it may be, and a byte longer; half of a pair; the deepest nesting, and one more.
        let lines = export.proofs([7])
        let room = (1 << 20) - (lines[1].count - 1) - #""a":"","#.utf8.count
        let members = [room, room + 1].map { #""a":"\#(String(repeating: "x", count: $0))","# }
        let nested = [79, 80].map { "\"a\":\(String(repeating: "[", count: $0) + String(repeating: "]", count: $0))," }
        for text in members + nested + [#""a":"\ud800","#, #""a":1e999,"#, " "] {
            files.append(lines[0] + Array("{\(text)".utf8) + lines[1].dropFirst())
        }
        try await compare(proofs: files)
    }

    /// Verifies each file with both, and expects the same verdict, fault and place.
    private func compare(proofs files: [[UInt8]]) async throws {
        let root = Command.temporaryURL("proofs")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: root) }
        let keys = try ExportKeys(log: [TestExport.signer.verifierKey])
        var arguments: [[String]] = []
        var expected: [Outcome] = []
        for (number, bytes) in files.enumerated() {
            let file = root.appendingPathComponent("\(number).jsonl")
            try Data(bytes).write(to: file)
            arguments.append([file.path, "--key", TestExport.signer.verifierKey.description, "--format", "json"])
            expected.append(Outcome(try ProofsVerifier(keys: keys).verify(file.path)))
        }
        let outcomes = try await IndependentVerifier.outcomes(arguments)
        #expect(outcomes.count == expected.count)
        for (file, (ours, other)) in zip(files, zip(expected, outcomes)) {
            let text = String(decoding: file.prefix(4_096), as: UTF8.self)
            #expect(ours == other, "\(text): \(ours), the other verifier: \(other)")
        }
    }

    @Test("agrees on the latest time of a signature")
    func times() async throws {
        let export = try TestExport(TestLog(entries: 2))
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: Array(repeating: 1, count: 32))
        let log = TestExport.signer.cosigner.verifierKey
        let text = "\(log.name)\n2\n\(export.root.base64)\n"
        let plain = try TestExport.signer.sign(text)
        let cases = try [0, 1 << 63 - 1, 1 << 63, UInt64.max].map { time in
            let message = Array("cosignature/v1\ntime \(time)\n\(text)".utf8)
            let bytes = withUnsafeBytes(of: time.bigEndian) { Array($0) } + (try key.signature(for: message))
            let signature = try NoteSignature(name: log.name, keyID: log.keyID, signature: bytes)
            var changed = export
            changed.files["checkpoint"] = try SignedNote(text: text, signatures: [plain, signature]).bytes
            #expect(try changed.outcome() == (time < 1 << 63 ? .good : .bad("checkpoint", "checkpoint")))
            return ("\(time)", VerifierInput(changed))
        }
        try await compare(cases)
    }

    @Test("agrees on names of files that are no UTF-8")
    func names() async throws {
        let root = Command.temporaryURL("names")
        defer { try? FileManager.default.removeItem(at: root) }
        let keys = try ExportKeys(log: [TestExport.signer.verifierKey])
        var arguments: [[String]] = []
        var expected: [Outcome] = []
        let names: [[UInt8]] = [[0xFF], [0x61, 0xC3, 0x28, 0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF0, 0x9F]]
        for (number, name) in names.enumerated() {
            let folder = root.appendingPathComponent("\(number)")
            arguments.append(try VerifierInput(TestExport(TestLog(entries: 2))).write(to: folder))
            let directory = folder.appendingPathComponent("export").path
            let path = (Array("\(directory)/".utf8) + name + [0]).map { CChar(bitPattern: $0) }
            let file = open(path, O_CREAT | O_CLOEXEC, 0o600)
            #expect(file >= 0)
            close(file)
            expected.append(Outcome(try ExportVerifier(keys: keys).verify(directory)))
        }
        let outcomes = try await IndependentVerifier.outcomes(arguments)
        #expect(outcomes == expected)
        #expect(expected.allSatisfy { $0.fault == "file" && $0.place?.contains("\u{FFFD}") == true })
    }
}

/// Lines of notes that were changed in their bytes.
enum NoisyNote {
    private static let pieces = [
        "\u{2014}", " ", "+", "=", "/", "A", "0", "-", "\n", "\u{E9}", "\u{7F}", "\u{85}", "\u{A0}", "\r", "z",
    ]

    /// A signature by nobody, which often has the form of one.
    static func line(using random: inout SeededGenerator) -> [UInt8] {
        let signature = (0..<Int.random(in: 3...8, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
        }
        var line = Array("\u{2014} other.example/w \(Data(signature).base64EncodedString())".utf8)
        if Bool.random(using: &random) { change(&line, using: &random) }
        return line + [UInt8(ascii: "\n")]
    }

    /// Changes a byte, or puts something in.
    static func change(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        let at = Int.random(in: 0...bytes.count - 1, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes.remove(at: at)
        default: bytes.insert(contentsOf: Array((pieces.randomElement(using: &random) ?? "").utf8), at: at)
        }
    }
}

/// Small logs whose lanes, ends and ranges are often, and not always, as they should be.
enum RandomLog {
    private static let numbers = [
        "0", "1", "5", "-1", "2.5", "9007199254740991", "9007199254740992", "1e+21", "\"1\"", "null", "[]",
        "123456789012345680000",
    ]

    static func make(using random: inout SeededGenerator) -> (log: TestLog, absent: Set<Int>) {
        var log = TestLog()
        for _ in 0..<Int.random(in: 3...14, using: &random) {
            let lane = "p/\(Int.random(in: 0..<3, using: &random))"
            switch Int.random(in: 0..<12, using: &random) {
            case 0: log.close(lane)
            case 1: log.close(lane, at: Int64.random(in: 0...6, using: &random))
            case 2:
                let first = Int.random(in: 0...9, using: &random)
                log.seal([first...first + Int.random(in: 0...5, using: &random)])
            case 3:
                let number = { (random: inout SeededGenerator) in numbers.randomElement(using: &random) ?? "0" }
                let ranges = "[[\(number(&random)),\(number(&random))],[\(number(&random))]]"
                log.add(producer: "p/s", tenant: "batuta", action: "seal", after: "{\"ranges\":\(ranges)}")
            case 4:
                let last = numbers.randomElement(using: &random) ?? "0"
                log.add(
                    producer: "p/c",
                    action: "lane.closed",
                    object:
                        "{\"id\":\"\(lane)/\(numbers.randomElement(using: &random)?.filter { $0 != "\"" } ?? "")\"}",
                    after: "{\"audit\":\(last)}"
                )
            case 5: log.add(producer: lane, number: Int64.random(in: 1...9, using: &random))
            default: log.add(producer: lane)
            }
        }
        log.seal([0...Int.random(in: 0...12, using: &random)])
        let absent = log.entries.indices.dropLast().filter { _ in Int.random(in: 0..<5, using: &random) == 0 }
        return (log, Set(absent))
    }
}
