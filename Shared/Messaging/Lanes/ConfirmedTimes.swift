import DequeModule

/// Remembers when which number was confirmed, to tell what has been confirmed for long enough to be verified.
struct ConfirmedTimes {
    private var samples: Deque<(seq: Int64, at: ContinuousClock.Instant)> = []
    private var settled: Int64

    /// - Parameter seq: A number that counts as confirmed long ago.
    init(settled seq: Int64) {
        settled = seq
    }

    /// Everything up to `seq` is confirmed at this instant.
    mutating func confirmed(_ seq: Int64, at now: ContinuousClock.Instant) {
        // One sample for each 100 ms bounds the memory whatever the rate.
        if let last = samples.last, now - last.at < .milliseconds(100) {
            samples[samples.count - 1].seq = seq
        } else {
            samples.append((seq, now))
        }
    }

    /// The greatest number that was confirmed at or before an instant.
    mutating func confirmedBefore(_ instant: ContinuousClock.Instant) -> Int64 {
        while let first = samples.first, first.at <= instant {
            settled = max(settled, first.seq)
            samples.removeFirst()
        }
        return settled
    }
}
