/// A place in the tree of exact values: what may follow, and the patterns whose exact values end here.
final class IndexNode: Sendable {
    static let empty = IndexNode(edges: HashTrie(), shelf: Shelf())

    private let edges: HashTrie<IndexEdge>
    private let shelf: Shelf

    private init(edges: HashTrie<IndexEdge>, shelf: Shelf) {
        self.edges = edges
        self.shelf = shelf
    }

    private var isEmpty: Bool { edges.isEmpty && shelf.isEmpty }

    func inserting(_ route: Route, _ pattern: IndexedPattern) -> IndexNode {
        changing(route.exact[...], inserting: true) { $0.inserting(route.key, pattern) } ?? self
    }

    /// The node without a pattern; nil where nothing is left.
    func removing(_ route: Route, _ pattern: IndexedPattern) -> IndexNode? {
        changing(route.exact[...], inserting: false) { $0.removing(route.key, pattern) }
    }

    /// The node with other shelves at the ends of the ways that combinations of exact values make.
    private func changing(
        _ exact: ArraySlice<(path: Int, literals: [Literal])>,
        inserting: Bool,
        _ change: (Shelf) -> Shelf
    ) -> IndexNode? {
        guard let (path, literals) = exact.first else {
            let node = IndexNode(edges: edges, shelf: change(shelf))
            return node.isEmpty ? nil : node
        }
        let rest = exact.dropFirst()
        let changed = edges.updating(
            IndexEdge.hash(path),
            where: { $0.path == path },
            to: { edge in
                guard edge != nil || inserting else { return nil }
                let branches = literals.reduce(edge?.branches ?? HashTrie()) { branches, literal in
                    Self.changing(literal, of: branches, inserting: inserting) { node in
                        node.changing(rest, inserting: inserting, change)
                    }
                }
                return branches.isEmpty ? nil : IndexEdge(path: path, branches: branches)
            }
        )
        let node = IndexNode(edges: changed, shelf: shelf)
        return node.isEmpty ? nil : node
    }

    /// The branches with another node behind a value.
    private static func changing(
        _ literal: Literal,
        of branches: HashTrie<IndexBranch>,
        inserting: Bool,
        _ change: (IndexNode) -> IndexNode?
    ) -> HashTrie<IndexBranch> {
        branches.updating(
            literal.hash,
            where: { $0.literal == literal },
            to: { branch in
                guard branch != nil || inserting else { return nil }
                return change(branch?.node ?? .empty).map { IndexBranch(literal: literal, node: $0) }
            }
        )
    }
}

/// The ways that lead on from a node by one field's values.
private struct IndexEdge: Sendable {
    let path: Int
    let branches: HashTrie<IndexBranch>

    static func hash(_ path: Int) -> UInt64 { ByteHash.of(UInt64(truncatingIfNeeded: path)) }
}

/// One exact value and where it leads.
private struct IndexBranch: Sendable {
    let literal: Literal
    let node: IndexNode
}

extension IndexNode {
    /// The patterns that an event meets, in the order of insertion.
    func matches(_ reader: FieldReader) -> [IndexedPattern] {
        var candidates = Candidates(reader: reader)
        gather(&candidates)
        return candidates.matching()
    }

    /// Adds the patterns that are found from here.
    ///
    /// Recursion is bounded by the fields of a route.
    private func gather(_ candidates: inout Candidates) {
        shelf.gather(&candidates)
        guard !edges.isEmpty else { return }
        if edges.count <= candidates.runs.count {
            edges.visit { edge in
                if let run = candidates.run(of: edge.path) { follow(edge, run, &candidates) }
            }
        } else {
            for run in candidates.runs {
                let edge = edges.first(IndexEdge.hash(run.path)) { $0.path == run.path }
                if let edge { follow(edge, run.range, &candidates) }
            }
        }
    }

    private func follow(_ edge: IndexEdge, _ range: Range<Int>, _ candidates: inout Candidates) {
        // An array may hold the same value many times, and every way is gone once.
        var visited: Set<ObjectIdentifier> = []
        for position in range {
            let entry = candidates.reader.entries[position]
            let text = candidates.reader.text(of: entry)
            let branch = edge.branches.first(entry.hash) { $0.literal.matches(entry, text) }
            guard let branch else { continue }
            if range.count > 1, !visited.insert(ObjectIdentifier(branch.node)).inserted { continue }
            branch.node.gather(&candidates)
        }
    }
}
