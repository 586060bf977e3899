import Synchronization

/// What was done in a round and when, and what was seen that must not be.
package final class FaultJournal: Sendable {
    private let began = ContinuousClock.now
    private let state = Mutex((lines: [String](), violations: [String]()))

    package init() {}

    /// Everything that was noted, each line with the seconds since the beginning.
    package var lines: [String] { state.withLock { $0.lines } }

    /// What was seen that must not be.
    package var violations: [String] { state.withLock { $0.violations } }

    /// Notes what is done.
    package func note(_ text: String) {
        let line = "\(stamp) \(text)"
        state.withLock { $0.lines.append(line) }
        FaultConsole.say(line)
    }

    /// Notes what must not be.
    package func violated(_ text: String) {
        note("VIOLATED: \(text)")
        state.withLock { $0.violations.append(text) }
    }

    private var stamp: String {
        let tenths = (ContinuousClock.now - began) / .milliseconds(100)
        let text = "\(Int(tenths) / 10).\(Int(tenths) % 10)"
        return String(repeating: " ", count: max(0, 6 - text.count)) + text + " s"
    }
}
