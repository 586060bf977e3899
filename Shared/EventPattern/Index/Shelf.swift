/// What a value must have for a condition on it to hold.
enum ShelfKey: Sendable {
    case exact(Literal)
    /// A text in lower case, all of it ASCII.
    case caseless([UInt8])
    case prefix([UInt8])
    case suffix([UInt8])
    case range(ClosedRange<UInt64>)
    case address(AddressRange)
    /// Any value at all.
    case present

    var isPresence: Bool {
        if case .present = self { true } else { false }
    }

    /// How many events have it, guessed from its form; less is better.
    var cost: Int {
        switch self {
        case .exact: 1
        case .caseless: 2
        case .prefix(let text), .suffix(let text): 4 + 64 / (text.count + 1)
        case .address(let range): 4 + max(0, 32 - range.length) * 2
        case .range(let range): range.lowerBound == range.upperBound ? 1 : 64
        case .present: 1024
        }
    }
}

/// The patterns whose exact values end at one place of the index.
///
/// A few are simply listed. Of many, those that want anything else to be looked up stand under it, and an event finds
/// the ones whose wish it grants; the rest are listed.
struct Shelf: Sendable {
    /// The patterns that are listed before any is looked up.
    private static let maximumListed = 8

    private var listed: [IndexedPattern] = []
    private var rest = PatternSet()
    private var fields = HashTrie<FieldShelf>()

    var isEmpty: Bool { listed.isEmpty && rest.isEmpty && fields.isEmpty }

    func inserting(_ key: (path: Int, keys: [ShelfKey])?, _ pattern: IndexedPattern) -> Shelf {
        guard !listed.contains(where: { $0 === pattern }) else { return self }
        var shelf = self
        if listed.count < Self.maximumListed {
            shelf.listed.append(pattern)
        } else if let key {
            shelf.fields = changing(key.path) { field in
                key.keys.reduce(field ?? FieldShelf(path: key.path)) { $0.changing($1, pattern, inserts: true) }
            }
        } else {
            shelf.rest = rest.adding(pattern)
        }
        return shelf
    }

    /// The shelf without a pattern, wherever it stood.
    func removing(_ key: (path: Int, keys: [ShelfKey])?, _ pattern: IndexedPattern) -> Shelf {
        var shelf = self
        shelf.listed.removeAll { $0 === pattern }
        shelf.rest = rest.removing(pattern)
        guard let key else { return shelf }
        shelf.fields = changing(key.path) { field in
            guard let field else { return nil }
            let changed = key.keys.reduce(field) { $0.changing($1, pattern, inserts: false) }
            return changed.isEmpty ? nil : changed
        }
        return shelf
    }

    private func changing(_ path: Int, to change: (FieldShelf?) -> FieldShelf?) -> HashTrie<FieldShelf> {
        fields.updating(Self.hash(path), where: { $0.path == path }, to: change)
    }

    func gather(_ candidates: inout Candidates) {
        for pattern in listed { candidates.add(pattern) }
        candidates.add(rest)
        guard !fields.isEmpty else { return }
        for run in candidates.runs {
            let field = fields.first(Self.hash(run.path)) { $0.path == run.path }
            guard let field else { continue }
            candidates.add(field.present)
            for position in run.range { field.gather(position, &candidates) }
        }
    }

    private static func hash(_ path: Int) -> UInt64 { ByteHash.of(UInt64(truncatingIfNeeded: path)) }
}
