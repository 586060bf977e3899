/// The patterns that an event may meet, while they are gathered.
struct Candidates {
    let reader: FieldReader

    /// The paths that the event has, with their entries.
    let runs: [(path: Int, range: Range<Int>)]

    private var patterns: [IndexedPattern] = []

    init(reader: FieldReader) {
        self.reader = reader
        var runs: [(path: Int, range: Range<Int>)] = []
        var start = 0
        while start < reader.entries.count {
            let path = reader.entries[start].path
            var end = start + 1
            while end < reader.entries.count, reader.entries[end].path == path { end += 1 }
            runs.append((path, start..<end))
            start = end
        }
        self.runs = runs
    }

    /// The entries of a path; nil where the event has none.
    func run(of path: Int) -> Range<Int>? {
        let index = reader.firstIndex(from: 0, to: runs.count) { runs[$0].path >= path }
        return index < runs.count && runs[index].path == path ? runs[index].range : nil
    }

    mutating func add(_ pattern: IndexedPattern) { patterns.append(pattern) }

    mutating func add(_ set: PatternSet) { set.visit { patterns.append($0) } }

    /// The patterns that the event meets, each once, in the order of insertion.
    mutating func matching() -> [IndexedPattern] {
        if patterns.count > 1 { patterns.sort { $0.serial < $1.serial } }
        var last = 0
        return patterns.filter { pattern in
            guard pattern.serial != last else { return false }
            last = pattern.serial
            return pattern.matches(reader)
        }
    }
}
