/// The paths that patterns name, as a tree of names: all that is looked at in an event.
struct PathTrie: Sendable {
    let root: PathNode

    init() { root = PathNode(path: PathNode.noPath, uses: 0, steps: HashTrie()) }

    private init(root: PathNode) { self.root = root }

    /// The path's number; nil where no pattern names it.
    func path(of names: [[UInt8]]) -> Int? {
        var node = root
        for name in names {
            guard let next = node.next(name) else { return nil }
            node = next
        }
        return node.path == PathNode.noPath ? nil : node.path
    }

    /// The tree with one more use of a path.
    ///
    /// - Parameters:
    ///   - names: The path.
    ///   - number: The path's number, if it is new.
    /// - Returns: The new tree; this one stays as it is.
    func adding(_ names: [[UInt8]], number: Int) -> PathTrie {
        PathTrie(root: root.changing(names[...], by: 1, number: number) ?? root)
    }

    /// The tree with one use less of a path.
    func removing(_ names: [[UInt8]]) -> PathTrie {
        guard let root = root.changing(names[...], by: -1, number: PathNode.noPath) else { return PathTrie() }
        return PathTrie(root: root)
    }
}

/// What may follow a path, and whether the path itself is one that patterns name.
final class PathNode: Sendable {
    static let noPath = -1

    let path: Int
    let uses: Int
    let steps: HashTrie<PathStep>

    init(path: Int, uses: Int, steps: HashTrie<PathStep>) {
        self.path = path
        self.uses = uses
        self.steps = steps
    }

    func next(_ name: [UInt8]) -> PathNode? {
        steps.first(ByteHash.of(name)) { $0.name == name }?.node
    }

    @inline(__always)
    func next(_ name: ByteText) -> PathNode? {
        steps.first(ByteHash.of(name)) { name.equals($0.name) }?.node
    }

    /// The node after a path below it is used once more or less; nil where nothing is left.
    fileprivate func changing(_ names: ArraySlice<[UInt8]>, by difference: Int, number: Int) -> PathNode? {
        guard let name = names.first else {
            let uses = uses + difference
            let path = uses > 0 ? (path == Self.noPath ? number : path) : Self.noPath
            guard uses > 0 || !steps.isEmpty else { return nil }
            return PathNode(path: path, uses: max(uses, 0), steps: steps)
        }
        let changed = steps.updating(
            ByteHash.of(name),
            where: { $0.name == name },
            to: { step in
                let node = step?.node ?? PathNode(path: Self.noPath, uses: 0, steps: HashTrie())
                return node.changing(names.dropFirst(), by: difference, number: number).map {
                    PathStep(name: name, node: $0)
                }
            }
        )
        guard uses > 0 || !changed.isEmpty else { return nil }
        return PathNode(path: path, uses: uses, steps: changed)
    }
}

/// A name and what follows it.
struct PathStep: Sendable {
    let name: [UInt8]
    let node: PathNode
}
