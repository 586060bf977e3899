import Crypto

extension MerkleHash {
    /// The root of the tree without leaves: SHA-256 of nothing.
    package static let empty = SHA256.hash(data: [UInt8]()).merkleHash

    /// The hash of an entry: SHA-256 of a byte 0 and the entry's bytes.
    package static func leaf(_ data: some Collection<UInt8>) -> MerkleHash {
        let hash = data.withContiguousStorageIfAvailable { leaf(UnsafeRawBufferPointer($0)) }
        return hash ?? Array(data).withUnsafeBytes { leaf($0) }
    }

    /// The hash of an entry that lies in memory: SHA-256 of a byte 0 and the entry's bytes.
    package static func leaf(_ data: UnsafeRawBufferPointer) -> MerkleHash {
        var function = SHA256()
        Swift.withUnsafeBytes(of: UInt8(0)) { function.update(bufferPointer: $0) }
        function.update(bufferPointer: data)
        return function.finalize().merkleHash
    }

    /// The hash of a node over two: SHA-256 of a byte 1, the left and the right hash.
    package static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
        withUnsafeTemporaryAllocation(byteCount: 1 + 2 * byteCount, alignment: 8) { buffer in
            buffer.storeBytes(of: 1, toByteOffset: 0, as: UInt8.self)
            left.store(in: buffer, at: 1)
            right.store(in: buffer, at: 1 + byteCount)
            var function = SHA256()
            function.update(bufferPointer: UnsafeRawBufferPointer(buffer))
            return function.finalize().merkleHash
        }
    }

    /// The root of a tree over hashes of leaves, or of equally high subtrees: `MTH` of RFC 6962, section 2.1.
    package static func root(over hashes: some Sequence<MerkleHash>) -> MerkleHash {
        var range = CompactRange()
        for hash in hashes {
            range.append(hash)
        }
        return range.root
    }
}

extension SHA256Digest {
    /// The digest as a hash of a tree.
    fileprivate var merkleHash: MerkleHash {
        withUnsafeBytes { bytes in
            guard let hash = MerkleHash(copying: bytes) else { preconditionFailure("SHA-256 has 32 bytes.") }
            return hash
        }
    }
}
