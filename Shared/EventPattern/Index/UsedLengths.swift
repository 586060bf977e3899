/// A multiset of small numbers, sorted.
struct UsedLengths: Sendable {
    private(set) var lengths: [(length: Int, uses: Int)] = []

    mutating func change(_ length: Int, by difference: Int) {
        let index = lengths.firstIndex { $0.length >= length } ?? lengths.count
        if index == lengths.count || lengths[index].length != length { lengths.insert((length, 0), at: index) }
        lengths[index].uses += difference
        if lengths[index].uses <= 0 { lengths.remove(at: index) }
    }
}
