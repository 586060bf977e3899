/// Finds the name that was probably meant.
enum EditDistance {
    /// The candidate that takes the fewest edits; the first in order of names where several take as many.
    static func nearest(to name: String, among candidates: [String]) -> String? {
        candidates
            .map { (name: $0, distance: distance($0, name)) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?
            .name
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), over bytes.
    static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first.utf8.prefix(256))
        let b = Array(second.utf8.prefix(256))
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var current = [i]
            for j in 1...b.count {
                let replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var cost = min(previous[j] + 1, current[j - 1] + 1, replaced)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    cost = min(cost, beforePrevious[j - 2] + 1)
                }
                current.append(cost)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[b.count]
    }
}
