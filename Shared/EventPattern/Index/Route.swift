/// Where an alternative of a pattern is found: exact values of some fields, then what another field wants.
struct Route: Sendable {
    /// Fields that want one of a few exact values, in the order of their paths.
    var exact: [(path: Int, literals: [Literal])]

    /// What another field wants; nil where nothing else can be looked up.
    var key: (path: Int, keys: [ShelfKey])?
}

extension IndexedPattern {
    /// The most exact values and combinations of them under which one alternative is filed.
    private static let maximumCombinations = 16

    /// The most fields on a route; more would not make it more selective.
    private static let maximumFields = 8

    /// The most alternatives that have routes of their own.
    private static let maximumRoutes = 32

    /// Every way on which the pattern is found by the events that meet it; the same for the same pattern at all times.
    func routes() -> [Route] {
        guard program.alternatives.count > Self.maximumRoutes else { return program.alternatives.map(route) }
        // Of many alternatives each goes by its best field alone, and they share their fields.
        var leaves: UInt64 = 0
        for alternative in program.alternatives {
            guard let best = bestLeaf(of: alternative) else { return [Route(exact: [], key: nil)] }
            leaves |= 1 << UInt64(best)
        }
        return BitPositions(leaves).map { route(1 << UInt64($0)) }
    }

    private func route(_ alternative: UInt64) -> Route {
        var exact: [(path: Int, literals: [Literal])] = []
        var combinations = 1
        var rest = alternative
        for index in BitPositions(alternative) where exact.count < Self.maximumFields {
            guard let literals = program.leaves[index].literals else { continue }
            guard combinations * literals.count <= Self.maximumCombinations else { continue }
            combinations *= literals.count
            exact.append((paths[program.leaves[index].pathIndex], literals))
            rest &= ~(1 << UInt64(index))
        }
        guard let best = bestLeaf(of: rest), let keys = program.leaves[best].shelfKeys else {
            return Route(exact: exact, key: nil)
        }
        return Route(exact: exact, key: (paths[program.leaves[best].pathIndex], keys))
    }

    /// The field that tells the most events apart, as far as its form shows.
    private func bestLeaf(of alternative: UInt64) -> Int? {
        var best: (leaf: Int, cost: Int)?
        for index in BitPositions(alternative) {
            guard let keys = program.leaves[index].shelfKeys else { continue }
            let cost = keys.reduce(0) { $0 + $1.cost }
            if let best, best.cost <= cost { continue }
            best = (index, cost)
        }
        return best?.leaf
    }
}

extension Leaf {
    /// The exact values that the field wants, each once; nil where it wants anything else.
    fileprivate var literals: [Literal]? {
        guard !allowsAbsence else { return nil }
        var literals: [Literal] = []
        for condition in conditions {
            guard case .literal(let literal) = condition else { return nil }
            if !literals.contains(literal) { literals.append(literal) }
        }
        return literals
    }

    /// The keys of which every value that the field wants has one; nil where the field may be absent.
    fileprivate var shelfKeys: [ShelfKey]? {
        guard !allowsAbsence else { return nil }
        let keys = conditions.flatMap(\.shelfKeys)
        return keys.contains { $0.isPresence } ? [.present] : keys
    }
}

extension Condition {
    fileprivate var shelfKeys: [ShelfKey] {
        switch self {
        case .literal(let literal): [.exact(literal)]
        case .prefix(let text): [text.isEmpty ? .present : .prefix(text)]
        case .suffix(let text): [text.isEmpty ? .present : .suffix(text)]
        case .equalsIgnoringCase(let text): [text.ascii.map(ShelfKey.caseless) ?? .present]
        case .prefixIgnoringCase, .suffixIgnoringCase, .exists, .anythingBut: [.present]
        case .wildcard(let wildcard):
            if let tail = wildcard.tail {
                wildcard.head.isEmpty ? [tail.isEmpty ? .present : .suffix(tail)] : [.prefix(wildcard.head)]
            } else {
                [.exact(Literal(text: wildcard.head))]
            }
        case .numeric(let range): range.keys.map { [.range($0)] } ?? []
        case .address(let range): [.address(range)]
        }
    }
}
