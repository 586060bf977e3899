/// A pattern in an index.
final class IndexedPattern: Sendable {
    let id: any Sendable

    /// The position in the order of insertion.
    let serial: Int

    let program: PatternProgram

    /// The numbers that the program's paths have in the index.
    let paths: [Int]

    let hash: UInt64

    init(id: any Sendable, serial: Int, program: PatternProgram, paths: [Int]) {
        self.id = id
        self.serial = serial
        self.program = program
        self.paths = paths
        hash = ByteHash.of(UInt64(truncatingIfNeeded: serial))
    }

    func matches(_ reader: FieldReader) -> Bool {
        var evaluation = PatternEvaluation(program: program, reader: reader, paths: paths)
        return evaluation.matches()
    }
}

/// Indexed patterns, each once.
typealias PatternSet = HashTrie<IndexedPattern>

extension HashTrie<IndexedPattern> {
    func adding(_ pattern: IndexedPattern) -> PatternSet {
        updating(pattern.hash, where: { $0 === pattern }, to: { _ in pattern })
    }

    func removing(_ pattern: IndexedPattern) -> PatternSet {
        updating(pattern.hash, where: { $0 === pattern }, to: { _ in nil })
    }
}

/// The paths that the patterns of an index name.
struct IndexedPaths: Sendable {
    private(set) var trie = PathTrie()
    private var next = 0

    /// Adds a use of each path and tells the paths' numbers.
    mutating func add(_ paths: [[[UInt8]]]) -> [Int] {
        paths.map { names in
            let number = trie.path(of: names) ?? next
            // Numbers of paths that are gone are not used again.
            if number == next { next += 1 }
            trie = trie.adding(names, number: number)
            return number
        }
    }

    mutating func remove(_ paths: [[[UInt8]]]) {
        for names in paths { trie = trie.removing(names) }
    }
}
