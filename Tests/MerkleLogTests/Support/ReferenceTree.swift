import Crypto
import MerkleLog

/// RFC 6962, section 2.1, word for word: recursive, over all leaves, with nothing of the module but its type of hash.
final class ReferenceTree {
    let leaves: [MerkleHash]
    private var known: [Range<Int>: MerkleHash] = [:]

    init(_ leaves: [MerkleHash]) { self.leaves = leaves }

    /// A tree whose entries are the decimal numbers from 0 up.
    convenience init(count: Int) { self.init((0..<count).map { Self.leaf(Array(String($0).utf8)) }) }

    static func leaf(_ data: [UInt8]) -> MerkleHash { hash([0] + data) }

    static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash { hash([1] + left.bytes + right.bytes) }

    static func hash(_ data: [UInt8]) -> MerkleHash {
        MerkleHash(Array(SHA256.hash(data: data))) ?? .empty
    }

    func root(_ size: Int) -> MerkleHash { hash(0..<size) }

    /// `MTH(D[range])`.
    func hash(_ range: Range<Int>) -> MerkleHash {
        if range.isEmpty { return Self.hash([]) }
        if range.count == 1 { return leaves[range.lowerBound] }
        if let hash = known[range] { return hash }
        let split = range.lowerBound + Self.split(range.count)
        let result = Self.node(hash(range.lowerBound..<split), hash(split..<range.upperBound))
        known[range] = result
        return result
    }

    /// `PATH(index, D[range])`.
    func path(_ index: Int, _ range: Range<Int>) -> [MerkleHash] {
        guard range.count > 1 else { return [] }
        let split = range.lowerBound + Self.split(range.count)
        let (left, right) = (range.lowerBound..<split, split..<range.upperBound)
        return index < split ? path(index, left) + [hash(right)] : path(index, right) + [hash(left)]
    }

    /// `PROOF(from, D[to])`.
    func consistency(_ from: Int, _ to: Int) -> [MerkleHash] { subproof(from, 0..<to, isKnown: true) }

    private func subproof(_ from: Int, _ range: Range<Int>, isKnown: Bool) -> [MerkleHash] {
        if from == range.upperBound { return isKnown ? [] : [hash(range)] }
        let split = range.lowerBound + Self.split(range.count)
        let (left, right) = (range.lowerBound..<split, split..<range.upperBound)
        return from <= split
            ? subproof(from, left, isKnown: isKnown) + [hash(right)]
            : subproof(from, right, isKnown: false) + [hash(left)]
    }

    /// The tiles of the tree of a size, by their definition in C2SP tlog-tiles.
    func tiles(_ size: Int) -> [Tile: [MerkleHash]] {
        var tiles: [Tile: [MerkleHash]] = [:]
        var (level, span) = (0, 1)
        while size / span > 0 {
            let hashes = (0..<(size / span)).map { hash($0 * span..<($0 + 1) * span) }
            for start in stride(from: 0, to: hashes.count, by: 256) {
                let part = Array(hashes[start..<min(start + 256, hashes.count)])
                tiles[Tile(level: level, index: UInt64(start / 256), width: part.count)] = part
            }
            (level, span) = (level + 1, span * 256)
        }
        return tiles
    }

    /// The largest power of two that is smaller than a number.
    static func split(_ count: Int) -> Int {
        var split = 1
        while split < count - split { split *= 2 }
        return split
    }
}

/// What proofs lead to, recursively: the definitions of RFC 6962 read backwards.
enum ReferenceProof {
    /// The root that an audit path leads to; nil where it has too many or too few hashes.
    static func root(of leaf: MerkleHash, index: UInt64, size: UInt64, proof: [MerkleHash]) -> MerkleHash? {
        guard index < size else { return nil }
        guard size > 1 else { return proof.isEmpty ? leaf : nil }
        guard let last = proof.last else { return nil }
        let split = UInt64(ReferenceTree.split(Int(size)))
        let rest = Array(proof.dropLast())
        if index < split {
            return root(of: leaf, index: index, size: split, proof: rest).map { ReferenceTree.node($0, last) }
        }
        return root(of: leaf, index: index - split, size: size - split, proof: rest)
            .map { ReferenceTree.node(last, $0) }
    }

    /// The earlier and the later root that a consistency proof leads to; nil where it has too many or too few hashes.
    static func roots(
        from: UInt64,
        to: UInt64,
        earlier: MerkleHash,
        proof: [MerkleHash]
    ) -> (earlier: MerkleHash, later: MerkleHash)? {
        guard from > 0, from <= to else { return nil }
        return roots(from: from, to: to, known: earlier, proof: proof)
    }

    private static func roots(
        from: UInt64,
        to: UInt64,
        known: MerkleHash?,
        proof: [MerkleHash]
    ) -> (earlier: MerkleHash, later: MerkleHash)? {
        if from == to {
            guard let known else { return proof.count == 1 ? (proof[0], proof[0]) : nil }
            return proof.isEmpty ? (known, known) : nil
        }
        guard let last = proof.last else { return nil }
        let split = UInt64(ReferenceTree.split(Int(to)))
        let rest = Array(proof.dropLast())
        if from <= split {
            return roots(from: from, to: split, known: known, proof: rest)
                .map { ($0.earlier, ReferenceTree.node($0.later, last)) }
        }
        return roots(from: from - split, to: to - split, known: nil, proof: rest)
            .map { (ReferenceTree.node(last, $0.earlier), ReferenceTree.node(last, $0.later)) }
    }
}
