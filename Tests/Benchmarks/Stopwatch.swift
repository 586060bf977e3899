/// Time per iteration.
enum Stopwatch {
    /// The least mean of five rounds, in microseconds: what the machine does besides only ever adds.
    static func microseconds(iterations: Int, _ body: () throws -> Int) rethrows -> Double {
        let clock = ContinuousClock()
        var best = Double.infinity
        var total = 0
        for _ in 0..<5 {
            let start = clock.now
            for _ in 0..<iterations / 5 { total &+= try body() }
            let (seconds, attoseconds) = start.duration(to: clock.now).components
            let microseconds = Double(seconds) * 1e6 + Double(attoseconds) / 1e12
            best = min(best, microseconds / Double(iterations / 5))
        }
        // What is never used might never be computed.
        if total == .min { print(total) }
        return best
    }
}
