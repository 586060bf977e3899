import Foundation
import Secrets
import TestSupport
import Testing

@Suite("Key files")
struct KeyFileTests {
    @Test("blank lines, comments, tabs and CR LF count for nothing; the first key is the active one")
    func wellFormed() throws {
        let ring = try SecretKeyRing(
            keyFile: Secret(
                "\r\n# the keys\n \t \n\tk.2 \t \(Samples.secondKey) # since May\r\n   # old:\nk-1_a\t\(Samples.firstKey)"
            )
        )
        #expect(ring.activeKeyID == "k.2")
        #expect(ring.keyIDs == ["k.2", "k-1_a"])
    }

    @Test(
        "a malformed file is refused with its line",
        arguments: [
            ("", SecretsError.Code.noKeys, nil), ("# k1 \(Samples.firstKey)\n\n", .noKeys, nil),
            ("k1", .malformedLine, 1), ("\n\nk1 \(Samples.firstKey) x", .malformedLine, 3),
            ("k1\(Samples.firstKey)", .malformedLine, 1), ("k1 # \(Samples.firstKey)", .malformedLine, 1),
            ("K1 \(Samples.firstKey)", .invalidKeyID, 1), (".k \(Samples.firstKey)", .invalidKeyID, 1),
            ("ñ \(Samples.firstKey)", .invalidKeyID, 1), ("\u{FEFF}k1 \(Samples.firstKey)", .invalidKeyID, 1),
            (String(repeating: "k", count: 33) + " \(Samples.firstKey)", .invalidKeyID, 1),
            ("k1 \(Samples.firstKey.dropLast())", .invalidKey, 1), ("k1 \(Samples.firstKey)=", .invalidKey, 1),
            ("k1 \(Samples.firstKey.dropLast(4))", .invalidKey, 1), ("k1 \(Samples.firstKey)AAAA", .invalidKey, 1),
            // The last character's two lowest bits carry nothing.
            ("k1 \(Samples.firstKey.dropLast(2))9=", .invalidKey, 1),
            ("k1 \(Samples.firstKey.dropLast(2))==", .invalidKey, 1),
            ("k1 =\(Samples.firstKey.dropFirst())", .invalidKey, 1),
            ("k1 \(Samples.firstKey.dropLast(3))A-=", .invalidKey, 1),
            ("k1 \(Samples.firstKey.dropLast(4))AAAA", .invalidKey, 1),
            ("k1 \(String(repeating: "A", count: 43))=", .invalidKey, 1),
            ("k1 \(Samples.firstKey)\nk1 \(Samples.secondKey)", .duplicateKeyID, 2),
            ("k1 \(Samples.firstKey)\n#\nk2 \(Samples.firstKey)", .duplicateKey, 3),
            ("k1 \(Samples.firstKey)\u{0}", .invalidKey, 1),
            ("k1 \(Samples.firstKey)\rk2 \(Samples.secondKey)", .malformedLine, 1),
        ]
    )
    func malformed(text: String, code: SecretsError.Code, line: Int?) throws {
        let error = try #require(throws: SecretsError.self) { try SecretKeyRing(keyFile: Secret(text)) }
        #expect(error.code == code)
        #expect(error.line == line)
        if let line { #expect(error.message.hasPrefix("Line \(line) of the key file ")) }
        #expect(error.message.hasSuffix(".") && "\(error)" == error.message)
    }

    @Test("64 keys and 64 KiB are read, one more of either is not")
    func bounds() throws {
        let lines = try (0..<65).map { try #require(SecretKeyRing.generate(id: "k\($0)").text) }
        #expect(try SecretKeyRing(keyFile: Secret(lines.dropLast().joined())).keyIDs.count == 64)
        let keys = try #require(throws: SecretsError.self) { try SecretKeyRing(keyFile: Secret(lines.joined())) }
        #expect(keys.code == .keyFileTooLarge && keys.line == 65)

        let full = lines[0] + String(repeating: "#", count: 65_536 - lines[0].utf8.count)
        #expect(try SecretKeyRing(keyFile: Secret(full)).keyIDs == ["k0"])
        let bytes = try #require(throws: SecretsError.self) { try SecretKeyRing(keyFile: Secret(full + "#")) }
        #expect(bytes.code == .keyFileTooLarge && bytes.line == nil)
    }

    @Test("a generated line is a key file, and no two are alike")
    func generated() throws {
        let longest = String(repeating: "k", count: 32)
        var lines: Set<String> = []
        for _ in 0..<50 {
            let line = try SecretKeyRing.generate(id: longest)
            #expect(try SecretKeyRing(keyFile: line).keyIDs == [longest])
            lines.insert(try #require(line.text))
        }
        #expect(lines.count == 50)
        #expect(lines.allSatisfy { $0.utf8.count == 32 + 1 + 44 + 1 && $0.hasSuffix("=\n") })
        let key = try #require(lines.first?.dropFirst(33).dropLast())
        #expect(Data(base64Encoded: String(key))?.count == 32)
        for id in ["", "K", "k 1", "k\n", "k#", "ñ", "-k", longest + "k"] {
            let error = try #require(throws: SecretsError.self, "\(id)") { try SecretKeyRing.generate(id: id) }
            #expect(error.code == .invalidKeyID)
        }
    }

    @Test("mutated files never trap, name a line of theirs, and repeat no key")
    func mutations() throws {
        var random = SeededGenerator.random()
        let seed = Array("# keys\nk1 \(Samples.firstKey)\r\n\nk.2\t\(Samples.secondKey) # old\n".utf8)
        var accepted = 0
        var codes: Set<SecretsError.Code> = []
        for _ in 0..<5000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, using: &random) }
            do throws(SecretsError) {
                let ring = try SecretKeyRing(keyFile: Secret(bytes))
                accepted += 1
                #expect(ring.keyIDs == ids(bytes), "\(bytes)")
            } catch {
                codes.insert(error.code)
                let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
                #expect(error.line.map { (1...lines).contains($0) } ?? true)
                #expect(!error.message.contains(Samples.firstKey.prefix(8)))
                #expect(!error.message.contains(Samples.secondKey.prefix(8)))
            }
        }
        #expect(accepted > 200, "\(accepted)")
        let expected: Set = [
            SecretsError.Code.malformedLine, .invalidKey, .invalidKeyID, .duplicateKeyID, .duplicateKey,
        ]
        #expect(codes.isSuperset(of: expected), "\(codes)")
    }

    private static let pieces = [
        "\n", "\r", " ", "#", "=", "==", "k1", "\t", "\u{0}", "é", "A", "\u{FEFF}", "/", "\nk1 \(Samples.secondKey)\n",
        "\nk3 \(Samples.firstKey)\n",
    ].map { Array($0.utf8) }

    private func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        let length = Int.random(in: 0...min(6, bytes.count - at), using: &random)
        let piece = Bool.random(using: &random) ? Self.pieces.randomElement(using: &random) ?? [] : []
        bytes.replaceSubrange(at..<at + length, with: piece)
    }

    /// The first words of the lines, read in a way of its own.
    private func ids(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.split(separator: "\n").compactMap { line in
            let code = line.prefix { $0 != "#" }
            return code.split { $0 == " " || $0 == "\t" || $0 == "\r" }.first.map { String(Substring($0)) }
        }
    }
}
