import TestSupport
import Testing

@testable import EventPattern

@Suite("Hash trie")
struct HashTrieTests {
    private struct Element: Equatable {
        var key: Int
        var value: Int
    }

    /// Hashes that part late, early and never.
    private static let hashes: [@Sendable (Int) -> UInt64] = [
        { UInt64($0) },
        { UInt64($0 % 7) },
        { UInt64($0) << 60 },
        { UInt64($0 % 3) << 62 | UInt64($0 % 5) },
        { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 },
    ]

    @Test("a trie holds what a dictionary holds, and older ones keep what they had", arguments: hashes.indices)
    func operations(_ position: Int) {
        var random = SeededGenerator.random()
        let hash = Self.hashes[position]
        var trie = HashTrie<Element>()
        var dictionary: [Int: Int] = [:]
        var older: [(HashTrie<Element>, [Int: Int])] = []
        for step in 0..<2000 {
            let key = Int.random(in: 0..<120, using: &random)
            let value: Int? = Int.random(in: 0..<5, using: &random) < 3 ? step : nil
            trie = trie.updating(
                hash(key),
                where: { $0.key == key },
                to: { present in
                    #expect(present?.value == dictionary[key])
                    return value.map { Element(key: key, value: $0) }
                }
            )
            dictionary[key] = value
            #expect(trie.count == dictionary.count)
            if step % 400 == 0 { older.append((trie, dictionary)) }
        }
        for (trie, dictionary) in older + [(trie, dictionary)] {
            for key in 0..<120 { #expect(trie.first(hash(key)) { $0.key == key }?.value == dictionary[key]) }
            var visited: [Int: Int] = [:]
            trie.visit { visited[$0.key] = $0.value }
            #expect(visited == dictionary)
        }
        for key in dictionary.keys {
            trie = trie.updating(hash(key), where: { $0.key == key }, to: { _ in nil })
        }
        #expect(trie.isEmpty && trie.first(hash(1)) { _ in true } == nil)
    }
}
