/// Hashes of bytes, seeded once per process, so that nobody outside can choose names or values that collide.
enum ByteHash {
    private static let seed = UInt64.random(in: .min ... .max)
    private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The hash of no bytes, from which ``step(_:_:)`` goes on.
    static var start: UInt64 { seed }

    /// The hash of one more byte: the hash of every beginning of a text takes one pass over it.
    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        let product = (hash ^ UInt64(byte)) &* multiplier
        return product ^ product >> 29
    }

    /// A number's hash.
    @inline(__always)
    static func of(_ number: UInt64) -> UInt64 { fold(seed ^ number) }

    /// Two numbers' hash.
    @inline(__always)
    static func of(_ first: UInt64, _ second: UInt64) -> UInt64 { fold(fold(seed ^ first) ^ second) }

    /// A text's hash, eight bytes at a time.
    static func of(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: text.count)
        let bytes = UnsafeRawBufferPointer(text)
        var at = 0
        while bytes.count - at >= 8 {
            hash = fold(hash ^ bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at += 8
        }
        var rest: UInt64 = 0
        while at < bytes.count {
            rest = rest << 8 | UInt64(bytes[at])
            at += 1
        }
        return fold(hash ^ rest)
    }

    static func of(_ text: [UInt8]) -> UInt64 { text.withUnsafeBufferPointer { of($0) } }

    @inline(__always)
    private static func fold(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: multiplier)
        let mixed = (product.high ^ product.low) &* 0xD6E8_FEB8_6659_FD93
        return mixed ^ mixed >> 32
    }
}
