/// Sizes and indexes in decimal digits.
enum Decimal {
    /// Reads a number below 2^63 without a sign and without leading zeros; nil for anything else.
    static func number(_ text: some StringProtocol) -> UInt64? {
        guard let number = UInt64(text), number < MerkleTree.maximumSize else { return nil }
        return String(number).utf8.elementsEqual(text.utf8) ? number : nil
    }
}
