/// A block of addresses with a common prefix, such as `10.0.0.0/8` or `fd00::/8`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The first address of the block.
    package let base: IPAddress

    /// How many leading bits all its addresses share.
    package let prefixLength: Int

    /// The block of a single address.
    package init(_ address: IPAddress) {
        self.init(base: address, prefixLength: address.family.bitCount)
    }

    /// Reads an address, or an address, a slash and the length of the prefix.
    ///
    /// Nil for any other text, and for a base that has bits behind the prefix.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let base = IPAddress(String(first)) else { return nil }
        guard parts.count == 2 else {
            self.init(base)
            return
        }
        guard let length = DecimalText.value(parts[1]), length <= base.family.bitCount else { return nil }
        let rest = base.family.bitCount - length
        guard (base.value >> UInt128(rest)) << UInt128(rest) == base.value else { return nil }
        self.init(base: base, prefixLength: length)
    }

    private init(base: IPAddress, prefixLength: Int) {
        self.base = base
        self.prefixLength = prefixLength
    }

    /// Whether an address lies in the block; an address of the other family never does.
    package func contains(_ address: IPAddress) -> Bool {
        address.hasPrefix(base, length: prefixLength)
    }

    package var description: String { "\(base)/\(prefixLength)" }
}

/// Small decimal numbers in one spelling only.
enum DecimalText {
    /// The value of one to five digits without a leading zero; nil for any other text.
    static func value(_ text: some StringProtocol) -> Int? {
        let digits = text.utf8
        guard (1...5).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        guard digits.count == 1 || digits.first != 0x30 else { return nil }
        return Int(text)
    }
}
