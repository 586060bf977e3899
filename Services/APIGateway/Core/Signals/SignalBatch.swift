import FoundationEssentials

/// The signals of one transaction, by key: who is the first of each, and what every one of them is told.
///
/// Pure; the database says which keys were new and what it knows of the others.
struct SignalBatch {
    /// What the database knows of a key that was taken before.
    struct Known: Equatable {
        var signalID: UUID
        var digest: [UInt8]
    }

    /// What one signal is told.
    struct Outcome: Equatable {
        var receipt: SignalReceipt
        /// Whether it repeats a key with another type or other data.
        var isConflicting: Bool
    }

    /// The first signal of each key, in the order of the keys' bytes, which every process shares: so that transactions
    /// wait for one another in one order only.
    let leaders: [IncomingSignal]
    /// For each signal, in the order they came in, the position of its leader.
    private let leaderIndex: [Int]
    private let signals: [IncomingSignal]

    init(_ signals: [IncomingSignal]) {
        self.signals = signals
        var first: [[UInt8]: Int] = [:]
        first.reserveCapacity(signals.count)
        for (index, signal) in signals.enumerated() where first[signal.key] == nil {
            first[signal.key] = index
        }
        let order = first.values.sorted { signals[$0].key.lexicographicallyPrecedes(signals[$1].key) }
        leaders = order.map { signals[$0] }
        let positions = Dictionary(uniqueKeysWithValues: order.enumerated().map { (signals[$1].key, $0) })
        leaderIndex = signals.map { positions[$0.key] ?? 0 }
    }

    /// The leaders whose keys were taken before, given those that were inserted.
    func taken(fresh: Set<UUID>) -> [IncomingSignal] {
        leaders.filter { !fresh.contains($0.signalID) }
    }

    /// What each signal is told, in the order they came in; nil where a key is neither fresh nor known, which happens
    /// only when it was deleted in between.
    func outcomes(fresh: Set<UUID>, known: [[UInt8]: Known]) -> [Outcome?] {
        var answered = [Bool](repeating: false, count: leaders.count)
        return signals.indices.map { index in
            let signal = signals[index]
            let position = leaderIndex[index]
            let leader = leaders[position]
            let isFirst = !answered[position]
            answered[position] = true
            if fresh.contains(leader.signalID) {
                return Outcome(
                    receipt: SignalReceipt(signalID: leader.signalID, isDuplicate: !isFirst),
                    isConflicting: signal.digest != leader.digest
                )
            }
            guard let known = known[signal.key] else {
                return nil
            }
            return Outcome(
                // An earlier try of this very batch may have been committed after all.
                receipt: SignalReceipt(
                    signalID: known.signalID,
                    isDuplicate: !isFirst || known.signalID != leader.signalID
                ),
                isConflicting: signal.digest != known.digest
            )
        }
    }
}
