/// The search for values that satisfy an alternative and come from the same elements of the arrays around them.
///
/// Two values agree if they are in the same element of every array that both are in. The leaves are taken in the
/// order of their paths; absence is judged by the elements chosen so far, which is how aws/event-ruler does it. Values
/// in elements that were not chosen are stepped over without being looked at, and a choice that failed is not tried
/// again, so the time is about linear in the entries. Only patterns and events that are made for each other can do
/// worse; what takes more than ``maximumSteps`` for all alternatives together is given up as no match.
struct ConsistentSearch {
    static let maximumSteps = 1_000_000

    private let evaluation: PatternEvaluation
    private let leaves: [Int]
    private let ranges: [Range<Int>]

    /// The chosen element of every array, by its position among ``FieldReader/elements``.
    private var chosen: [Int32]

    /// The last leaf, among ``leaves``, that has an entry inside an array.
    private var lastLeaf: [Int]

    /// The arrays with a chosen element, in the order of the choices.
    private var bound: [Int] = []

    private var failed: Set<[Int]> = []
    /// The entries that were looked at so far.
    private(set) var steps: Int

    init(evaluation: PatternEvaluation, alternative: UInt64, steps: Int = 0) {
        self.evaluation = evaluation
        self.steps = steps
        leaves = Array(BitPositions(alternative))
        ranges = leaves.map { evaluation.range(of: evaluation.program.leaves[$0]) }
        chosen = Array(repeating: ArrayElement.none, count: evaluation.reader.arrays.count)
        lastLeaf = Array(repeating: -1, count: chosen.count)
        for (position, range) in ranges.enumerated() {
            for entry in range {
                for element in chain(of: entry) { lastLeaf[evaluation.reader.elements[Int(element)].array] = position }
            }
        }
    }

    mutating func succeeds() -> Bool { succeeds(from: 0) }

    private mutating func succeeds(from position: Int) -> Bool {
        guard position < leaves.count else { return true }
        let state = state(at: position)
        guard !failed.contains(state) else { return false }
        let leaf = evaluation.program.leaves[leaves[position]]
        var isPresent = false
        var at = ranges[position].lowerBound
        while at < ranges[position].upperBound, steps < Self.maximumSteps {
            steps += 1
            if let next = skip(at, in: ranges[position]) {
                at = next
                continue
            }
            isPresent = true
            if evaluation.matches(leaf, at: at), succeeds(choosing: at, from: position + 1) { return true }
            at += 1
        }
        if leaf.allowsAbsence, !isPresent, succeeds(from: position + 1) { return true }
        failed.insert(state)
        return false
    }

    /// Binds the arrays around an entry and goes on.
    private mutating func succeeds(choosing entry: Int, from position: Int) -> Bool {
        let count = bound.count
        for element in chain(of: entry) {
            let array = evaluation.reader.elements[Int(element)].array
            guard chosen[array] == ArrayElement.none else { continue }
            chosen[array] = element
            bound.append(array)
        }
        if succeeds(from: position) { return true }
        for array in bound[count...] { chosen[array] = ArrayElement.none }
        bound.removeSubrange(count...)
        return false
    }

    /// Where to go on if an entry is in an element that was not chosen; nil if it agrees.
    private func skip(_ at: Int, in range: Range<Int>) -> Int? {
        let reader = evaluation.reader
        let order = reader.entries[at].order
        var target: Int?
        for element in chain(of: at) {
            let array = reader.elements[Int(element)].array
            let choice = chosen[array]
            guard choice != ArrayElement.none, choice != element else { continue }
            let start = reader.elements[Int(choice)].start
            // The outermost array comes last and decides. No scalar beside the array's objects is stepped over: its
            // path is shorter than theirs, so it was looked at before the array was bound.
            target = order < start ? start : reader.arrays[array].end
        }
        return target.map { target in
            reader.firstIndex(from: at + 1, to: range.upperBound) { reader.entries[$0].order >= target }
        }
    }

    /// What decides the rest: the leaf, and the chosen elements of arrays that it or a later one looks into.
    private func state(at position: Int) -> [Int] {
        [position] + bound.filter { lastLeaf[$0] >= position }.map { Int(chosen[$0]) }
    }

    /// The array elements around an entry, innermost first.
    private func chain(of entry: Int) -> ElementChain {
        ElementChain(elements: evaluation.reader.elements, next: evaluation.reader.entries[entry].element)
    }
}

/// Array elements within one another, innermost first.
private struct ElementChain: Sequence, IteratorProtocol {
    let elements: [ArrayElement]
    private var element: Int32

    init(elements: [ArrayElement], next element: Int32) {
        self.elements = elements
        self.element = element
    }

    mutating func next() -> Int32? {
        guard element != ArrayElement.none else { return nil }
        defer { element = elements[Int(element)].parent }
        return element
    }
}
