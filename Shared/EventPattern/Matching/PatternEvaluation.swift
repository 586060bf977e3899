/// Whether one pattern holds for one event's fields.
struct PatternEvaluation {
    let program: PatternProgram
    let reader: FieldReader

    /// What the program's paths are called in the reader; nil where they keep their numbers.
    private let paths: [Int]?

    /// The leaves that were looked at, and those of them that some value, or its absence, may satisfy.
    private var known: UInt64 = 0
    private var possible: UInt64 = 0

    init(program: PatternProgram, reader: FieldReader, paths: [Int]? = nil) {
        self.program = program
        self.reader = reader
        self.paths = paths
    }

    mutating func matches() -> Bool {
        var steps = 0
        for alternative in program.alternatives where meets(alternative) {
            guard !reader.elements.isEmpty else { return true }
            var search = ConsistentSearch(evaluation: self, alternative: alternative, steps: steps)
            if search.succeeds() { return true }
            steps = search.steps
        }
        return false
    }

    /// The leaves of an alternative that nothing in the event can satisfy.
    mutating func failures(of alternative: UInt64) -> UInt64 {
        for leaf in BitPositions(alternative & ~known) { look(at: leaf) }
        return alternative & ~possible
    }

    @inline(__always)
    private mutating func meets(_ alternative: UInt64) -> Bool {
        for leaf in BitPositions(alternative) {
            if known & 1 << UInt64(leaf) == 0 { look(at: leaf) }
            guard possible & 1 << UInt64(leaf) != 0 else { return false }
        }
        return true
    }

    private mutating func look(at index: Int) {
        known |= 1 << UInt64(index)
        let leaf = program.leaves[index]
        let range = range(of: leaf)
        // Within arrays a field may be absent from the element that counts.
        var holds = leaf.allowsAbsence && (range.isEmpty || !reader.elements.isEmpty)
        for position in range where !holds { holds = matches(leaf, at: position) }
        if holds { possible |= 1 << UInt64(index) }
    }

    func range(of leaf: Leaf) -> Range<Int> {
        reader.range(of: paths.map { $0[leaf.pathIndex] } ?? leaf.pathIndex)
    }

    @inline(__always)
    func matches(_ leaf: Leaf, at position: Int) -> Bool {
        let entry = reader.entries[position]
        return leaf.matches(entry, reader.text(of: entry))
    }
}
