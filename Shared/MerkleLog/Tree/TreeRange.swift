/// Leaves that a tree of RFC 6962 has a node over, which need not be complete.
///
/// Every range here comes from splitting a tree as the RFC does, so that `start` is aligned to what lies in it.
struct TreeRange: Sendable, Hashable {
    let start: UInt64
    let end: UInt64

    /// How many leaves there are.
    var count: UInt64 { end - start }

    /// Where the RFC splits the range: after the largest power of two of leaves that is smaller than their number.
    ///
    /// Only a range of at least two leaves is split.
    var middle: UInt64 { start + 1 << (63 - (count - 1).leadingZeroBitCount) }

    var left: TreeRange { TreeRange(start: start, end: middle) }
    var right: TreeRange { TreeRange(start: middle, end: end) }

    /// The largest complete subtrees that make up the range, from the left; folded from the right they give its hash.
    var subtrees: [Subtree] {
        var subtrees: [Subtree] = []
        var start = start
        while start < end {
            let level = 63 - (end - start).leadingZeroBitCount
            subtrees.append(Subtree(level: level, index: start >> level))
            start += 1 << level
        }
        return subtrees
    }
}
