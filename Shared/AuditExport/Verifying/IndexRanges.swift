/// Indexes that were sealed, as ranges.
///
/// However many ranges an export names, what is kept is bounded by the largest index among them.
struct IndexRanges {
    private var ranges: [ClosedRange<UInt64>] = []
    private var limit = 1 << 12

    /// Adds a range.
    mutating func insert(_ range: ClosedRange<UInt64>) {
        ranges.append(range)
        guard ranges.count > limit else { return }
        merge()
        limit = max(limit, 2 * ranges.count)
    }

    /// The first index of some ranges, which are sorted and apart, that lies in none of these.
    mutating func firstOutside(of others: [ClosedRange<UInt64>]) -> UInt64? {
        merge()
        var at = 0
        for other in others {
            while at < ranges.count, ranges[at].upperBound < other.lowerBound { at += 1 }
            // Ranges that touch were merged, so that the one that holds the first index holds all or ends before them.
            guard at < ranges.count, ranges[at].lowerBound <= other.lowerBound else { return other.lowerBound }
            guard ranges[at].upperBound >= other.upperBound else { return ranges[at].upperBound + 1 }
        }
        return nil
    }

    /// Sorts the ranges, and joins those that overlap or touch.
    private mutating func merge() {
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var merged: [ClosedRange<UInt64>] = []
        for range in ranges {
            guard let last = merged.last, range.lowerBound <= last.upperBound + 1 else {
                merged.append(range)
                continue
            }
            merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        }
        ranges = merged
    }
}
