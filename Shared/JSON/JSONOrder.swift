#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Comparisons of UTF-8 text, byte for byte: Swift's own hold canonically equivalent strings for equal.
enum JSONOrder {
    @inline(__always)
    static func areEqual(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        guard let first = left.baseAddress, let second = right.baseAddress else { return true }
        return memcmp(first, second, left.count) == 0
    }

    /// Whether text comes before other text by its UTF-16 code units, as RFC 8785 sorts names.
    ///
    /// Bytes of UTF-8 sort by code point; the two orders differ only between characters beyond U+FFFF, whose UTF-16
    /// begins with a surrogate, and those from U+E000 to U+FFFF.
    static func precedesInUTF16(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        let common = min(left.count, right.count)
        for offset in 0..<common where left[offset] != right[offset] {
            let (first, second) = (left[offset], right[offset])
            if first >= 0xEE, second >= 0xEE, first >= 0xF0 || second >= 0xF0 {
                guard (first >= 0xF0) == (second >= 0xF0) else { return first >= 0xF0 }
            }
            return first < second
        }
        return left.count < right.count
    }

    /// Whether two strings have the same UTF-8.
    static func areEqual(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && withUTF8(left, right) { areEqual($0, $1) }
    }

    /// Whether a string comes before another one by its UTF-16 code units.
    static func precedesInUTF16(_ left: String, _ right: String) -> Bool {
        withUTF8(left, right) { precedesInUTF16($0, $1) }
    }

    private static func withUTF8(
        _ left: String,
        _ right: String,
        _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool {
        var (left, right) = (left, right)
        return left.withUTF8 { left in right.withUTF8 { right in body(left, right) } }
    }
}
