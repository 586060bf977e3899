/// 32 bytes of SHA-256, stored inline and cheap to copy.
///
/// Leaves and nodes are hashed as RFC 6962, section 2.1, says: different prefixes keep one from passing for the other.
package struct MerkleHash: Sendable, Hashable {
    /// How many bytes a hash has.
    package static let byteCount = 32

    // Four words in the order of the bytes, in memory as they came: one load each, and no heap.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Takes 32 bytes; nil for any other number of them.
    package init?(_ bytes: some Collection<UInt8>) {
        let hash = bytes.withContiguousStorageIfAvailable { MerkleHash(copying: UnsafeRawBufferPointer($0)) }
        guard let hash = hash ?? MerkleHash(copyingPrefixOf: bytes) else { return nil }
        self = hash
    }

    /// Copies bytes that lie together; nil where they are not 32.
    init?(copying bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        first = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
        second = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        third = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        fourth = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    }

    /// Copies bytes that do not lie together, and no more of them than it takes to see that they are too many.
    private init?(copyingPrefixOf bytes: some Collection<UInt8>) {
        let copy = Array(bytes.prefix(Self.byteCount + 1))
        guard let hash = copy.withUnsafeBytes({ MerkleHash(copying: $0) }) else { return nil }
        self = hash
    }

    /// The hash, byte by byte.
    package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Lends the bytes without copying them to the heap.
    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Swift.withUnsafeBytes(of: (first, second, third, fourth)) { body($0) }
    }

    /// Writes the bytes to a buffer that has room for them at an offset.
    func store(in buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
        buffer.storeBytes(of: first, toByteOffset: offset, as: UInt64.self)
        buffer.storeBytes(of: second, toByteOffset: offset + 8, as: UInt64.self)
        buffer.storeBytes(of: third, toByteOffset: offset + 16, as: UInt64.self)
        buffer.storeBytes(of: fourth, toByteOffset: offset + 24, as: UInt64.self)
    }
}
