/// Patterns that stand under beginnings of text.
///
/// One pass over a value yields the hashes of all its beginnings; those of lengths that some pattern has are looked up.
struct AffixShelf: Sendable {
    private var sets = HashTrie<TextSet>()
    private var lengths = UsedLengths()

    var isEmpty: Bool { sets.isEmpty }

    func changing(_ text: [UInt8], _ pattern: IndexedPattern, inserts: Bool) -> AffixShelf {
        var shelf = self
        shelf.sets = TextSet.changing(sets, text, pattern, inserts: inserts)
        let difference = shelf.sets.count - sets.count
        if difference != 0 { shelf.lengths.change(text.count, by: difference) }
        return shelf
    }

    func gather(_ value: ByteText, isReversed: Bool, _ candidates: inout Candidates) {
        guard !sets.isEmpty else { return }
        var hash = ByteHash.start
        var read = 0
        for (length, _) in lengths.lengths {
            guard length <= value.count else { return }
            while read < length {
                hash = ByteHash.step(hash, value[isReversed ? value.count - 1 - read : read])
                read += 1
            }
            let set = sets.first(hash) { set in
                guard set.text.count == length else { return false }
                return isReversed ? value.reversed().starts(with: set.text) : value.starts(with: set.text, from: 0)
            }
            if let set { candidates.add(set.patterns) }
        }
    }
}
