import Glibc

/// An address of IPv4 or IPv6, without port and without zone.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// The version of the protocol.
    package enum Family: Hashable, Sendable {
        case v4
        case v6

        /// The number of bits of an address.
        package var bitCount: Int { self == .v4 ? 32 : 128 }
    }

    /// The version of the protocol.
    package let family: Family

    // Two halves and not one UInt128: Swift 6.3.1 miscompiles, without optimisation, async functions on their caller's
    // actor (NonisolatedNonsendingByDefault) that take values aligned to 16 bytes; they crash when they are resumed.
    private let high: UInt64
    private let low: UInt64

    /// The address as a number; of IPv4 only the lower 32 bits are used.
    var value: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// An IPv4 address from its number.
    package init(v4 value: UInt32) {
        family = .v4
        high = 0
        low = UInt64(value)
    }

    /// An IPv6 address from its number.
    package init(v6 value: UInt128) {
        family = .v6
        high = UInt64(truncatingIfNeeded: value >> 64)
        low = UInt64(truncatingIfNeeded: value)
    }

    /// Reads an address as `inet_pton` does: four decimal numbers without leading zeros, or the text of RFC 4291.
    ///
    /// None of the other spellings that `inet_aton` takes, no brackets, no zone, no white space.
    package init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        if let value = Self.parse(text, AF_INET, UInt32.self) {
            self.init(v4: UInt32(bigEndian: value))
        } else if let value = Self.parse(text, AF_INET6, UInt128.self) {
            self.init(v6: UInt128(bigEndian: value))
        } else {
            return nil
        }
    }

    /// The canonical text, of IPv6 in the form of RFC 5952.
    package var description: String {
        switch family {
        case .v4: Self.text(UInt32(truncatingIfNeeded: value).bigEndian, AF_INET)
        case .v6: Self.text(value.bigEndian, AF_INET6)
        }
    }

    /// Whether the address begins with the same `length` bits as another of its family.
    func hasPrefix(_ other: IPAddress, length: Int) -> Bool {
        guard family == other.family else { return false }
        return (value ^ other.value) >> UInt128(family.bitCount - length) == 0
    }

    private static func parse<Value: FixedWidthInteger>(_ text: String, _ family: Int32, _: Value.Type) -> Value? {
        var value = Value.zero
        return inet_pton(family, text, &value) == 1 ? value : nil
    }

    private static func text<Value: FixedWidthInteger>(_ value: Value, _ family: Int32) -> String {
        withUnsafeBytes(of: value) { bytes in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
                guard let start = buffer.baseAddress,
                    let text = inet_ntop(family, bytes.baseAddress, start, socklen_t(buffer.count))
                else { return "" }
                return String(cString: text)
            }
        }
    }
}
