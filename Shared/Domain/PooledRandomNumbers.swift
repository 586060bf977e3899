import Glibc
import Synchronization

/// The system's random numbers, fetched many at a time: a call of the system for each would cost more than what is made
/// of them.
package struct PooledRandomNumbers: RandomNumberGenerator {
    /// As many as the system hands out in one call: 256 bytes.
    private static let fetched = 32
    private static let pool = Mutex<[UInt64]>([])

    package init() {}

    package mutating func next() -> UInt64 {
        Self.pool.withLock { pool in
            if pool.isEmpty { pool = Self.fetch() }
            return pool.removeLast()
        }
    }

    private static func fetch() -> [UInt64] {
        let bytes = fetched * MemoryLayout<UInt64>.size
        let words = [UInt64](unsafeUninitializedCapacity: fetched) { buffer, count in
            count = getentropy(buffer.baseAddress, bytes) == 0 ? fetched : 0
        }
        var generator = SystemRandomNumberGenerator()
        return words.isEmpty ? [generator.next()] : words
    }
}
