/// Patterns that stand under intervals of numbers.
///
/// An interval tree over the whole range of keys (Edelsbrunner, 1980): an interval belongs to the node at which the bits
/// of its ends part, so a number's intervals are all at nodes along its own bits. At a node the number is below or above
/// the middle, and one end of each interval decides; sorted by that end, only those that hold the number are read.
struct RangeShelf: Sendable {
    private var nodes = HashTrie<RangeNode>()
    private var depths = UsedLengths()

    var isEmpty: Bool { nodes.isEmpty }

    func changing(_ range: ClosedRange<UInt64>, _ pattern: IndexedPattern, inserts: Bool) -> RangeShelf {
        var shelf = self
        let depth = (range.lowerBound ^ range.upperBound).leadingZeroBitCount
        let place = RangePlace(range.lowerBound, depth: depth)
        shelf.nodes = nodes.updating(
            place.hash,
            where: { $0.place == place },
            to: { node in
                let changed = (node ?? RangeNode(place: place)).changing(range, pattern, inserts: inserts)
                return changed.isEmpty ? nil : changed
            }
        )
        let difference = shelf.nodes.count - nodes.count
        if difference != 0 { shelf.depths.change(depth, by: difference) }
        return shelf
    }

    func gather(_ key: UInt64, _ candidates: inout Candidates) {
        for (depth, _) in depths.lengths {
            let place = RangePlace(key, depth: depth)
            guard let node = nodes.first(place.hash, where: { $0.place == place }) else { continue }
            node.gather(key, &candidates)
        }
    }
}

/// The first bits that the keys of a node share.
private struct RangePlace: Sendable, Equatable {
    let bits: UInt64
    let depth: Int

    init(_ key: UInt64, depth: Int) {
        bits = depth == 0 ? 0 : key >> UInt64(64 - depth)
        self.depth = depth
    }

    var hash: UInt64 { ByteHash.of(bits, UInt64(depth)) }
}

private struct RangeNode: Sendable {
    let place: RangePlace
    /// By the least key.
    private var byStart = SortedRuns()
    /// By the greatest key, inverted, so that the greatest comes first.
    private var byEnd = SortedRuns()

    init(place: RangePlace) { self.place = place }

    var isEmpty: Bool { byStart.isEmpty }

    func changing(_ range: ClosedRange<UInt64>, _ pattern: IndexedPattern, inserts: Bool) -> RangeNode {
        var node = self
        if inserts {
            node.byStart.insert(range.lowerBound, pattern)
            node.byEnd.insert(~range.upperBound, pattern)
        } else {
            node.byStart.remove(range.lowerBound, pattern)
            node.byEnd.remove(~range.upperBound, pattern)
        }
        return node
    }

    func gather(_ key: UInt64, _ candidates: inout Candidates) {
        let isAbove = place.depth < 64 && (key << UInt64(place.depth)) >> 63 == 1
        if isAbove {
            byEnd.visit(upTo: ~key) { candidates.add($0) }
        } else {
            byStart.visit(upTo: key) { candidates.add($0) }
        }
    }
}
