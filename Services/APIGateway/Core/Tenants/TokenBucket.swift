/// How much a tenant may still do: it fills up steadily, and every request takes out of it.
///
/// Pure: the instant is an argument. All that is kept is when it is full again (the generic cell rate algorithm).
struct TokenBucket: Equatable, Sendable {
    /// How fast a bucket fills up, and how much it holds.
    struct Size: Equatable, Sendable {
        /// How many tokens flow in each second; at least one.
        let perSecond: Int
        /// The seconds after which an empty bucket is full.
        let seconds: Int

        /// How long so many tokens take to flow in.
        func time(for tokens: Int) -> Duration {
            .seconds(tokens) / perSecond
        }
    }

    private var fullAt: ContinuousClock.Instant

    /// A full one.
    init(at now: ContinuousClock.Instant) {
        fullAt = now
    }

    /// Whether it holds as much as it can.
    func isFull(at now: ContinuousClock.Instant) -> Bool {
        fullAt <= now
    }

    /// Takes tokens out, all or none.
    ///
    /// A request for more than a bucket holds is met by a full one, which then lacks the rest: else it could never be met.
    ///
    /// - Parameters:
    ///   - tokens: How many.
    ///   - size: The bucket's.
    ///   - now: The instant of the request.
    /// - Returns: Nil where they were taken; else how long it takes until they could be, if nobody takes any before.
    mutating func take(_ tokens: Int, of size: Size, at now: ContinuousClock.Instant) -> Duration? {
        let lack = max(.zero, fullAt - now)
        let excess = lack + size.time(for: tokens) - .seconds(size.seconds)
        guard lack == .zero || excess <= .zero else {
            return min(excess, lack)
        }
        fullAt = now + lack + size.time(for: tokens)
        return nil
    }
}
