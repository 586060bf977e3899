import TestSupport

/// The faults of one round: drawn from a seed, and always the same ones for the same seed.
package struct FaultSchedule: Hashable, Sendable, CustomStringConvertible {
    /// One fault, and when it comes and goes.
    package struct Entry: Hashable, Sendable, CustomStringConvertible {
        /// How many signals are acknowledged since the fault before was undone, or since the load began.
        package var after: Int

        /// What is done.
        package var fault: Fault

        /// How long it lasts before it is undone.
        package var lasting: Duration

        package var description: String {
            let target = fault.target.isEmpty ? "" : " (\(fault.target))"
            return "after \(after) signals: \(fault.name)\(target) for \(lasting)"
        }
    }

    /// What the schedule was drawn from.
    package let seed: UInt64

    /// Which faults it holds.
    package let faultClass: FaultClass

    /// The faults, in their order; each is undone before the next one comes.
    package let entries: [Entry]

    /// Draws a schedule.
    ///
    /// The possible faults of the class are shuffled and dealt; only when all have been dealt do they come again.
    ///
    /// - Parameters:
    ///   - seed: What it is drawn from.
    ///   - faultClass: Which faults it may hold.
    ///   - length: How many faults it holds.
    ///   - setting: What the system stands on.
    package init(seed: UInt64, faultClass: FaultClass, length: Int, setting: FaultSetting) {
        var generator = SeededGenerator(seed: seed)
        let draws = FaultMenu(setting: setting).draws(of: faultClass)
        var deck: [FaultMenu.Draw] = []
        var entries: [Entry] = []
        while entries.count < length, !draws.isEmpty {
            if deck.isEmpty { deck = draws.shuffled(using: &generator) }
            let draw = deck.removeLast()
            let after = Int.random(in: 15...45, using: &generator)
            let (fault, lasting) = draw(&generator)
            entries.append(Entry(after: after, fault: fault, lasting: lasting))
        }
        self.seed = seed
        self.faultClass = faultClass
        self.entries = entries
    }

    package var description: String {
        "seed \(seed), \(faultClass.rawValue): " + entries.map(\.description).joined(separator: "; ")
    }
}
