extension [MerkleHash] {
    /// Splits concatenated hashes, which is how tiles are stored; nil where the bytes are no whole number of hashes.
    package init?(concatenated bytes: some Collection<UInt8>) {
        let hashes = bytes.withContiguousStorageIfAvailable { Self(splitting: UnsafeRawBufferPointer($0)) }
        guard let hashes = hashes ?? [UInt8](bytes).withUnsafeBytes({ Self(splitting: $0) }) else { return nil }
        self = hashes
    }

    private init?(splitting bytes: UnsafeRawBufferPointer) {
        guard bytes.count.isMultiple(of: MerkleHash.byteCount) else { return nil }
        self = stride(from: 0, to: bytes.count, by: MerkleHash.byteCount).compactMap { start in
            MerkleHash(copying: UnsafeRawBufferPointer(rebasing: bytes[start..<(start + MerkleHash.byteCount)]))
        }
    }

    /// The bytes of all hashes one after the other, which is how tiles are stored.
    package var concatenated: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * MerkleHash.byteCount)
        for hash in self {
            hash.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        return bytes
    }
}
