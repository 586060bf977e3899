/// Addresses with the same first bits.
///
/// aws/event-ruler compares addresses as hexadecimal digits and is content with as many as decide. So an IPv4 range
/// also holds the IPv6 addresses that begin with its bits, and an IPv6 range the IPv4 addresses that its digits decide
/// before they end; this does the same, as patterns are to mean the same here and there.
struct AddressRange: Sendable, Hashable {
    /// Why a text is no range.
    enum Fault: Error {
        case noPrefixLength
        case notALength
        case notAnAddress
        case tooLong(limit: Int)
    }

    /// The address's bits, those behind the prefix cleared.
    let bits: UInt128

    /// The number of bits that count.
    let length: Int

    let isVersion4: Bool

    /// The one address that a plain text names.
    init(_ address: InternetAddress) {
        bits = address.bits
        length = address.isVersion4 ? 32 : 128
        isVersion4 = address.isVersion4
    }

    /// Reads `address/length`; a length of all bits is refused, as upstream.
    init(_ text: String) throws(Fault) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .noPrefixLength }
        guard let length = Int(parts[1]), length >= 0 else { throw .notALength }
        guard let address = InternetAddress(String(parts[0])) else { throw .notAnAddress }
        let limit = address.isVersion4 ? 31 : 127
        guard length <= limit else { throw .tooLong(limit: limit) }
        self.length = length
        isVersion4 = address.isVersion4
        bits = Self.prefix(of: address.bits, length)
    }

    /// The first bits alone.
    @inline(__always)
    static func prefix(of bits: UInt128, _ length: Int) -> UInt128 {
        length == 0 ? 0 : (bits >> UInt128(128 - length)) << UInt128(128 - length)
    }

    func contains(_ address: InternetAddress) -> Bool {
        guard Self.prefix(of: address.bits, length) == bits else { return false }
        guard !isVersion4, address.isVersion4 else { return true }
        guard length < 32 else { return false }
        let rest = (UInt32(truncatingIfNeeded: address.bits >> 96) << UInt32(length)) >> UInt32(length)
        return rest != 0 && rest != UInt32.max >> UInt32(length)
    }
}
