/// Patterns that stand under ranges of addresses, by the bits that they fix.
///
/// IPv4 and IPv6 ranges share the table, as an address can be in ranges of both; the pattern itself tells.
struct AddressShelf: Sendable {
    private var sets = HashTrie<AddressSet>()
    private var lengths = UsedLengths()

    var isEmpty: Bool { sets.isEmpty }

    func changing(_ range: AddressRange, _ pattern: IndexedPattern, inserts: Bool) -> AddressShelf {
        var shelf = self
        let (bits, length) = (range.bits, range.length)
        shelf.sets = sets.updating(
            Self.hash(bits, length),
            where: { $0.bits == bits && $0.length == length },
            to: { set in
                PatternSet.changing(set?.patterns, pattern, inserts: inserts).map {
                    AddressSet(bits: bits, length: length, patterns: $0)
                }
            }
        )
        let difference = shelf.sets.count - sets.count
        if difference != 0 { shelf.lengths.change(length, by: difference) }
        return shelf
    }

    func gather(_ text: ByteText, _ candidates: inout Candidates) {
        guard !sets.isEmpty, let address = InternetAddress(text) else { return }
        for (length, _) in lengths.lengths {
            let bits = AddressRange.prefix(of: address.bits, length)
            let set = sets.first(Self.hash(bits, length)) { $0.bits == bits && $0.length == length }
            if let set { candidates.add(set.patterns) }
        }
    }

    private static func hash(_ bits: UInt128, _ length: Int) -> UInt64 {
        let high = UInt64(truncatingIfNeeded: bits >> 64)
        return ByteHash.of(ByteHash.of(high, UInt64(truncatingIfNeeded: bits)), UInt64(length))
    }
}

private struct AddressSet: Sendable {
    let bits: UInt128
    let length: Int
    let patterns: PatternSet
}
