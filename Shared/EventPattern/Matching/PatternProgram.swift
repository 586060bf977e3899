import JSON

/// A compiled pattern.
final class PatternProgram: Sendable {
    /// The fields, sorted by path as Java sorts strings, which is the order in which aws/event-ruler takes them.
    let leaves: [Leaf]

    /// The alternatives, each a set of leaves by their positions: all of them must hold.
    let alternatives: [UInt64]

    /// The paths of the leaves, numbered from 0.
    let paths: PathTrie

    /// The names of each path.
    let pathNames: [[[UInt8]]]

    let overridden: [JSONPointer]

    init(leaves: [Leaf], alternatives: [UInt64], pathNames: [[[UInt8]]], overridden: [JSONPointer]) {
        self.leaves = leaves
        self.alternatives = alternatives
        self.pathNames = pathNames
        self.overridden = overridden
        paths = pathNames.enumerated().reduce(into: PathTrie()) { paths, next in
            paths = paths.adding(next.element, number: Int(next.offset))
        }
    }
}

/// The positions of the bits that are set.
struct BitPositions: Sequence, IteratorProtocol {
    private var rest: UInt64

    init(_ bits: UInt64) { rest = bits }

    mutating func next() -> Int? {
        guard rest != 0 else { return nil }
        defer { rest &= rest - 1 }
        return rest.trailingZeroBitCount
    }
}
