import MerkleLog
import Testing

@Suite("Hashes of Merkle trees")
struct MerkleHashTests {
    @Test("a hash is read from exactly 32 bytes, and gives them back", arguments: [0, 31, 32, 33, 64])
    func bytes(count: Int) {
        let bytes = (0..<count).map { UInt8($0) }
        #expect(MerkleHash(bytes)?.bytes == (count == 32 ? bytes : nil))
        #expect(MerkleHash(AnyCollection(bytes))?.bytes == (count == 32 ? bytes : nil))
    }
}
