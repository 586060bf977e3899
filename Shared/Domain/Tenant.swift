/// The key of a tenant: every row, header and cursor carries one.
package struct Tenant: Hashable, Sendable, CustomStringConvertible {
    package let key: String

    /// A tenant by its key, or nil unless it is `^[a-z][a-z0-9-]{0,62}$`.
    package init?(_ key: String) {
        let bytes = Array(key.utf8)
        guard (1...63).contains(bytes.count), let first = bytes.first, first.isLowercaseLetter,
            bytes.allSatisfy({ $0.isLowercaseLetter || $0.isDigit || $0 == UInt8(ascii: "-") })
        else {
            return nil
        }
        self.key = key
    }

    package var description: String { key }
}

extension UInt8 {
    /// Whether this is one of `a` to `z` in ASCII.
    package var isLowercaseLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }

    /// Whether this is one of `0` to `9` in ASCII.
    package var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
