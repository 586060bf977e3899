import MerkleLog
import Testing

@Suite("Hashes of Merkle trees")
struct MerkleHashTests {
    private let bytes = (0..<32).map { UInt8($0) }
    private let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    @Test("a hash is read from exactly 32 bytes, and gives them back", arguments: [0, 31, 32, 33, 64])
    func counts(count: Int) {
        let bytes = (0..<count).map { UInt8($0) }
        let expected = count == 32 ? bytes : nil
        #expect(MerkleHash(bytes)?.bytes == expected)
        #expect(MerkleHash(AnyCollection(bytes))?.bytes == expected)
        #expect(MerkleHash((bytes + [9]).dropLast())?.bytes == expected)
    }

    @Test("every byte counts for equality")
    func equality() throws {
        let hash = try #require(MerkleHash(bytes))
        #expect(hash == MerkleHash(bytes))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 0x80
            #expect(MerkleHash(other) != hash)
        }
    }

    @Test("text forms are those of the bytes")
    func texts() throws {
        let hash = try #require(MerkleHash(bytes))
        #expect(hash.hex == "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        #expect("\(hash)" == hash.hex)
        #expect(hash.base64 == base64)
        #expect(MerkleHash(base64: base64) == hash)
    }

    @Test("base64 has one form only")
    func strictBase64() {
        let refused: [String] = [
            "", "=", String(base64.dropLast()), base64 + "=", base64 + "\n", " " + base64, "\n" + base64,
            String(base64.dropLast(2)) + "9=", String(base64.dropLast(2)) + "8==", String(base64.dropLast(1)) + "A",
            base64.replacingFirst("A", with: "-"), base64.replacingFirst("A", with: "é"),
            // The sign of a kelvin looks the same as a K to `==`, and is another letter.
            base64.replacingFirst("AAEC", with: "\u{212A}AEC"),
            "\(base64.prefix(22))\r\n\(base64.dropFirst(22))",
        ]
        for text in refused {
            #expect(MerkleHash(base64: text) == nil, "\(text)")
        }
    }

    @Test("entries and nodes are hashed with their prefixes, wherever their bytes lie")
    func hashing() throws {
        let left = try #require(MerkleHash(bytes))
        for data in [[], [0], bytes, [UInt8](repeating: 7, count: 100_000)] {
            #expect(MerkleHash.leaf(data) == ReferenceTree.leaf(data))
            #expect(MerkleHash.leaf(AnyCollection(data)) == ReferenceTree.leaf(data))
            #expect(MerkleHash.leaf(data + [1]) != ReferenceTree.leaf(data))
        }
        #expect(MerkleHash.leaf("K".utf8) == ReferenceTree.leaf([75]))
        #expect(MerkleHash.node(left, .empty) == ReferenceTree.node(left, .empty))
        #expect(MerkleHash.node(left, .empty) != MerkleHash.node(.empty, left))
        // A node's bytes as an entry are no node: that is what the prefixes are for.
        #expect(MerkleHash.node(left, .empty) != MerkleHash.leaf(left.bytes + MerkleHash.empty.bytes))
        #expect(MerkleHash.empty == ReferenceTree.hash([]))
    }

    @Test("the root over hashes is that of the definition")
    func roots() {
        let tree = ReferenceTree(count: 70)
        for size in 0...70 {
            #expect(MerkleHash.root(over: tree.leaves.prefix(size)) == tree.root(size), "\(size)")
        }
    }

    @Test("hashes are joined and split again; what is left over is refused")
    func lists() {
        let leaves = ReferenceTree(count: 5).leaves
        let bytes = leaves.flatMap(\.bytes)
        #expect(leaves.concatenated == bytes)
        #expect([MerkleHash](concatenated: bytes) == leaves)
        #expect([MerkleHash](concatenated: AnyCollection(bytes)) == leaves)
        #expect([MerkleHash](concatenated: []) == [])
        #expect([MerkleHash]().concatenated.isEmpty)
        #expect([MerkleHash](concatenated: bytes.dropLast()) == nil)
        #expect([MerkleHash](concatenated: bytes + [0]) == nil)
        #expect([MerkleHash](concatenated: bytes.dropFirst(32)) == Array(leaves.dropFirst()))
    }
}

extension String {
    /// The text with one other in place of the first of a text.
    func replacingFirst(_ text: String, with other: String) -> String {
        guard let range = firstRange(of: text) else { return self }
        return replacingCharacters(in: range, with: other)
    }

    private func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
        self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
