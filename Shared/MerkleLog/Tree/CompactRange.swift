/// The roots of the largest complete subtrees that leaves from the first one on fall into, largest first.
///
/// There is one for each bit of the number of leaves; folded from the right they give the tree's root.
struct CompactRange: Sendable, Hashable {
    private(set) var peaks: [MerkleHash] = []
    private(set) var count: UInt64 = 0

    /// The root of the tree over all leaves.
    var root: MerkleHash {
        guard let last = peaks.last else { return .empty }
        return peaks.dropLast().reversed().reduce(last) { right, left in .node(left, right) }
    }

    /// Adds a leaf, and joins the subtrees that it completes.
    ///
    /// `joined` is called with the height of each subtree that is completed, from 1 up, and its root.
    mutating func append(_ leaf: MerkleHash, joined: (_ height: Int, _ root: MerkleHash) -> Void = { _, _ in }) {
        var node = leaf
        // A complete subtree stands on the left for each one bit at the end of the count.
        let joins = (~count).trailingZeroBitCount
        for height in 0..<joins {
            node = .node(peaks.removeLast(), node)
            joined(height + 1, node)
        }
        peaks.append(node)
        count &+= 1
    }

    /// Adds subtrees that are all smaller than those that are here, and `leaves` leaves with them.
    mutating func append(smaller range: CompactRange, leaves: UInt64) {
        peaks.append(contentsOf: range.peaks)
        count += leaves
    }
}
