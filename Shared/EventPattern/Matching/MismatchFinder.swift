import JSON

/// Finds the part of a pattern that an event fails.
struct MismatchFinder {
    private let program: PatternProgram
    private let reader: FieldReader
    private var evaluation: PatternEvaluation

    init(program: PatternProgram, reader: FieldReader) {
        self.program = program
        self.reader = reader
        evaluation = PatternEvaluation(program: program, reader: reader)
    }

    /// The mismatch of the alternative that fails the fewest fields, the first of equals.
    mutating func mismatch(values: ([[UInt8]]) -> [JSONView]) -> EventPatternMismatch? {
        guard !evaluation.matches() else { return nil }
        var nearest: (alternative: UInt64, failures: UInt64)?
        for alternative in program.alternatives {
            let failures = evaluation.failures(of: alternative)
            if let nearest, nearest.failures.nonzeroBitCount <= failures.nonzeroBitCount { continue }
            nearest = (alternative, failures)
        }
        guard let nearest else { return nil }
        // The author's order, not the order of matching.
        let first = BitPositions(nearest.failures).min {
            program.leaves[$0].position < program.leaves[$1].position
        }
        guard let first else { return apart(nearest.alternative, values: values) }
        let leaf = program.leaves[first]
        let found = values(leaf.names)
        return mismatch(leaf, found, reason: reason(leaf, found))
    }

    private func reason(_ leaf: Leaf, _ found: [JSONView]) -> EventPatternMismatch.Reason {
        guard !found.isEmpty else { return .absent }
        return leaf.conditions.isEmpty ? .present : .differs
    }

    /// The first field, in the order of matching, that cannot be met together with those before it.
    private func apart(_ alternative: UInt64, values: ([[UInt8]]) -> [JSONView]) -> EventPatternMismatch? {
        var together: UInt64 = 0
        for index in BitPositions(alternative) {
            var search = ConsistentSearch(evaluation: evaluation, alternative: together | 1 << UInt64(index))
            if search.succeeds() {
                together |= 1 << UInt64(index)
                continue
            }
            let leaf = program.leaves[index]
            let others = BitPositions(together).map { program.leaves[$0] }.filter { $0.names.first == leaf.names.first }
            let met = Wording.list(others.map { Wording.name($0.path) }, "and")
            let place = met.isEmpty ? "" : " in the element that meets \(met)"
            let wish = leaf.conditions.isEmpty ? "its absence" : leaf.wish
            return mismatch(
                leaf,
                values(leaf.names),
                reason: .apart,
                sentence: "\(Wording.name(leaf.path)) has no value\(place) with which the pattern is content; "
                    + "it wants \(wish)"
            )
        }
        return nil
    }

    private func mismatch(
        _ leaf: Leaf,
        _ found: [JSONView],
        reason: EventPatternMismatch.Reason,
        sentence: String? = nil
    ) -> EventPatternMismatch {
        let sentence = sentence ?? "\(Wording.name(leaf.path)) is \(state(found)), and the pattern wants \(leaf.wish)"
        let count = program.alternatives.count
        return EventPatternMismatch(
            reason: reason,
            pointer: leaf.pointer,
            path: leaf.path,
            seen: found.isEmpty ? nil : Wording.list(found.map(Wording.bounded), "and"),
            message: count == 1 ? sentence : "\(sentence) (in the nearest of \(count) alternatives)"
        )
    }

    /// What stands at a path.
    private func state(_ found: [JSONView]) -> String {
        guard !found.isEmpty else { return "absent" }
        let phrases = found.map { view in
            switch view.kind {
            case .object: "an object"
            case .array: view.count == 0 ? "an empty list" : Wording.bounded(view)
            case .null, .bool, .number, .string: Wording.bounded(view)
            }
        }
        return Wording.list(phrases, "and")
    }
}
