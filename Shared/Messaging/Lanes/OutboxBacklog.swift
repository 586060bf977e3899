/// What of one destination is committed, and not known to be with its consumer.
package struct OutboxBacklog: Equatable, Sendable {
    /// How many items.
    package var items: Int64
    /// When the oldest of them was committed, in milliseconds of Unix time; nil where there is none, or where that is not
    /// known yet.
    package var oldest: UInt64?

    package init(items: Int64 = 0, oldest: UInt64? = nil) {
        self.items = items
        self.oldest = oldest
    }

    /// The age of the oldest item in seconds, 0 where there is none.
    ///
    /// - Parameter now: Milliseconds of Unix time.
    /// - Returns: The seconds, never negative.
    package func age(at now: UInt64) -> Double {
        guard let oldest, oldest < now else {
            return 0
        }
        return Double(now - oldest) / 1_000
    }

    /// Both together.
    static func + (one: Self, other: Self) -> Self {
        Self(
            items: one.items + other.items,
            oldest: [one.oldest, other.oldest].compactMap { $0 }.min()
        )
    }
}
