import JSON

/// Patterns that stand under what they want of one field.
struct FieldShelf: Sendable {
    let path: Int
    private(set) var present = PatternSet()
    private var exact = HashTrie<LiteralSet>()
    private var caseless = HashTrie<TextSet>()
    private var prefixes = AffixShelf()
    private var suffixes = AffixShelf()
    private var ranges = RangeShelf()
    private var addresses = AddressShelf()

    init(path: Int) { self.path = path }

    var isEmpty: Bool {
        present.isEmpty && exact.isEmpty && caseless.isEmpty && prefixes.isEmpty && suffixes.isEmpty
            && ranges.isEmpty && addresses.isEmpty
    }

    func changing(_ key: ShelfKey, _ pattern: IndexedPattern, inserts: Bool) -> FieldShelf {
        var shelf = self
        switch key {
        case .present:
            shelf.present = inserts ? present.adding(pattern) : present.removing(pattern)
        case .exact(let literal):
            shelf.exact = exact.updating(
                literal.hash,
                where: { $0.literal == literal },
                to: { set in
                    PatternSet.changing(set?.patterns, pattern, inserts: inserts).map {
                        LiteralSet(literal: literal, patterns: $0)
                    }
                }
            )
        case .caseless(let text):
            shelf.caseless = TextSet.changing(caseless, text, pattern, inserts: inserts)
        case .prefix(let text): shelf.prefixes = prefixes.changing(text, pattern, inserts: inserts)
        case .suffix(let text): shelf.suffixes = suffixes.changing(text.reversed(), pattern, inserts: inserts)
        case .range(let range): shelf.ranges = ranges.changing(range, pattern, inserts: inserts)
        case .address(let range): shelf.addresses = addresses.changing(range, pattern, inserts: inserts)
        }
        return shelf
    }

    /// Adds the patterns whose wish one entry may grant.
    func gather(_ position: Int, _ candidates: inout Candidates) {
        let entry = candidates.reader.entries[position]
        let text = candidates.reader.text(of: entry)
        if !exact.isEmpty, let set = exact.first(entry.hash, where: { $0.literal.matches(entry, text) }) {
            candidates.add(set.patterns)
        }
        if entry.kind == .number { ranges.gather(NumericRange.key(of: entry.number), &candidates) }
        guard entry.kind == .string else { return }
        if !caseless.isEmpty {
            let hash = text.reduce(ByteHash.start) { ByteHash.step($0, ASCII.lowercased($1)) }
            let set = caseless.first(hash) { set in
                text.count == set.text.count && text.elementsEqual(set.text, by: { ASCII.lowercased($0) == $1 })
            }
            if let set { candidates.add(set.patterns) }
        }
        prefixes.gather(text, isReversed: false, &candidates)
        suffixes.gather(text, isReversed: true, &candidates)
        addresses.gather(text, &candidates)
    }
}

private struct LiteralSet: Sendable {
    let literal: Literal
    let patterns: PatternSet
}
