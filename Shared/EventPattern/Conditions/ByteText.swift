#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// UTF-8 text as bytes that somebody else owns.
typealias ByteText = UnsafeBufferPointer<UInt8>

extension UnsafeBufferPointer<UInt8> {
    /// Whether this text has exactly these bytes.
    @inline(__always)
    func equals(_ other: [UInt8]) -> Bool {
        count == other.count && starts(with: other, from: 0)
    }

    /// Whether these bytes stand at a position.
    @inline(__always)
    func starts(with other: [UInt8], from position: Int) -> Bool {
        guard position >= 0, count - position >= other.count else { return false }
        guard let base = baseAddress else { return other.isEmpty }
        return other.withUnsafeBufferPointer { bytes in
            guard let first = bytes.baseAddress, !bytes.isEmpty else { return true }
            return memcmp(base + position, first, bytes.count) == 0
        }
    }

    /// Whether these bytes stand at the end.
    @inline(__always)
    func ends(with other: [UInt8]) -> Bool {
        starts(with: other, from: count - other.count)
    }

    @inline(__always)
    func contains(byte: UInt8) -> Bool {
        guard let base = baseAddress, !isEmpty else { return false }
        return memchr(base, Int32(byte), count) != nil
    }
}

/// ASCII letters without regard to case.
enum ASCII {
    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }
}
