import Glibc

/// A line on a terminal's standard error that says how far long work is; nothing where it is no terminal.
struct ProgressLine {
    private let isTerminal = isatty(StandardStream.error.rawValue) == 1
    private var next = ContinuousClock.now + .seconds(1)
    private var isShown = false

    /// Shows how much is done, at most a few times a second.
    mutating func show(_ done: UInt64, of total: UInt64, _ what: String) {
        show("\(done) of \(total) \(what)")
    }

    /// Shows how much is done of what nobody has counted.
    mutating func show(_ done: UInt64, _ what: String) {
        show("\(done) \(what)")
    }

    private mutating func show(_ text: String) {
        guard isTerminal, ContinuousClock.now >= next else { return }
        next = .now + .milliseconds(200)
        isShown = true
        StandardStream.error.write(Array("\r\(text)".utf8))
    }

    /// Takes the line away.
    mutating func clear() {
        guard isShown else { return }
        isShown = false
        StandardStream.error.write(Array("\r\u{1B}[K".utf8))
    }
}
