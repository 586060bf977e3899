/// Patterns that want the same text.
struct TextSet: Sendable {
    let text: [UInt8]
    let patterns: PatternSet

    /// Sets by their texts, with or without a pattern under one of them.
    static func changing(
        _ sets: HashTrie<TextSet>,
        _ text: [UInt8],
        _ pattern: IndexedPattern,
        inserts: Bool
    ) -> HashTrie<TextSet> {
        sets.updating(
            text.reduce(ByteHash.start, ByteHash.step),
            where: { $0.text == text },
            to: { set in
                PatternSet.changing(set?.patterns, pattern, inserts: inserts).map { TextSet(text: text, patterns: $0) }
            }
        )
    }
}

extension PatternSet {
    /// The set with or without a pattern; nil where it is empty.
    static func changing(_ set: PatternSet?, _ pattern: IndexedPattern, inserts: Bool) -> PatternSet? {
        let set = set ?? PatternSet()
        let changed = inserts ? set.adding(pattern) : set.removing(pattern)
        return changed.isEmpty ? nil : changed
    }
}
