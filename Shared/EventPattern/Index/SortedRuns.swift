/// Patterns sorted by a number, in runs short enough to copy.
struct SortedRuns: Sendable {
    private static let longest = 64

    private var runs: [[Item]] = []

    private struct Item: Sendable {
        let key: UInt64
        let pattern: IndexedPattern

        func precedes(_ other: Item) -> Bool { (key, pattern.serial) < (other.key, other.pattern.serial) }
    }

    var isEmpty: Bool { runs.isEmpty }

    mutating func insert(_ key: UInt64, _ pattern: IndexedPattern) {
        let item = Item(key: key, pattern: pattern)
        guard !runs.isEmpty else {
            runs = [[item]]
            return
        }
        let index = min(run(for: item), runs.count - 1)
        let at = Self.position(of: item, in: runs[index])
        // A list may name the same range twice.
        if at < runs[index].count, runs[index][at].key == key, runs[index][at].pattern === pattern { return }
        runs[index].insert(item, at: at)
        guard runs[index].count > Self.longest else { return }
        let half = Array(runs[index][(Self.longest / 2)...])
        runs[index].removeSubrange((Self.longest / 2)...)
        runs.insert(half, at: index + 1)
    }

    mutating func remove(_ key: UInt64, _ pattern: IndexedPattern) {
        let item = Item(key: key, pattern: pattern)
        let index = run(for: item)
        guard index < runs.count else { return }
        let at = Self.position(of: item, in: runs[index])
        guard at < runs[index].count, runs[index][at].key == key, runs[index][at].pattern === pattern else { return }
        runs[index].remove(at: at)
        if runs[index].isEmpty { runs.remove(at: index) }
    }

    /// Visits the patterns with keys up to one.
    func visit(upTo key: UInt64, _ body: (IndexedPattern) -> Void) {
        for run in runs {
            for item in run {
                guard item.key <= key else { return }
                body(item.pattern)
            }
        }
    }

    /// The first run that does not end before an item.
    private func run(for item: Item) -> Int {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = low + (high - low) / 2
            if let last = runs[middle].last, last.precedes(item) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func position(of item: Item, in run: [Item]) -> Int {
        var (low, high) = (0, run.count)
        while low < high {
            let middle = low + (high - low) / 2
            if run[middle].precedes(item) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
