package import FoundationEssentials

/// UUIDs of version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits.
///
/// Every id that Batuta makes is one, so that ids sort by time and tables are partitioned by their own key.
package enum UUIDv7 {
    /// A fresh id for an instant.
    ///
    /// - Parameters:
    ///   - milliseconds: Unix milliseconds; only the low 48 bits are kept.
    ///   - generator: The source of the random bits.
    /// - Returns: An id of version 7.
    package static func make(
        milliseconds: UInt64,
        using generator: inout some RandomNumberGenerator
    ) -> UUID {
        make(milliseconds: milliseconds, high: generator.next(), low: generator.next())
    }

    /// A fresh id for now, from the system's clock and random numbers.
    package static func make() -> UUID {
        var generator = PooledRandomNumbers()
        return make(milliseconds: UInt64(max(0, Date().timeIntervalSince1970 * 1_000)), using: &generator)
    }

    /// An id of an instant whose other bits are given, so that the same input gives the same id.
    package static func make(milliseconds: UInt64, high: UInt64, low: UInt64) -> UUID {
        let time = milliseconds & 0xFFFF_FFFF_FFFF
        let first = (time << 16) | 0x7000 | (high & 0x0FFF)
        let second = (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        func byte(_ word: UInt64, _ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 - index * 8)) }
        return UUID(
            uuid: (
                byte(first, 0), byte(first, 1), byte(first, 2), byte(first, 3),
                byte(first, 4), byte(first, 5), byte(first, 6), byte(first, 7),
                byte(second, 0), byte(second, 1), byte(second, 2), byte(second, 3),
                byte(second, 4), byte(second, 5), byte(second, 6), byte(second, 7)
            )
        )
    }

    /// The Unix milliseconds in an id, or nil if it is not of version 7.
    package static func milliseconds(of id: UUID) -> UInt64? {
        let bytes = id.uuid
        guard bytes.6 >> 4 == 7 else {
            return nil
        }
        return [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension UUID {
    /// The id in the form of RFC 9562, in lower case, as Batuta writes ids everywhere.
    package var lowercased: String {
        withUnsafeBytes(of: uuid) { bytes in
            String(unsafeUninitializedCapacity: 36) { text in
                var end = 0
                for (index, byte) in bytes.enumerated() {
                    if index >= 4, index <= 10, index % 2 == 0 {
                        text[end] = UInt8(ascii: "-")
                        end += 1
                    }
                    text[end] = UInt8.hexDigit(byte >> 4)
                    text[end + 1] = UInt8.hexDigit(byte & 15)
                    end += 2
                }
                return end
            }
        }
    }
}
