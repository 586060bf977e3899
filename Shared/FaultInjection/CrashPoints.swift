import Glibc

/// Kills the process at a named point, so that fault tests can prove that a crash there costs duplicates only.
///
/// It exists for fault tests and does nothing in a normal run: `BATUTA_CRASH_AT=<name>[:<n>]` is refused unless
/// `BATUTA_ALLOW_FAULTS=1`. The environment is read once, by ``arm(from:)`` at the start; while nothing is armed,
/// ``reached(_:)`` costs one relaxed atomic load.
package enum CrashPoints {
    private static let countdown = CrashCountdown()

    /// Reads `BATUTA_CRASH_AT` and arms the point that it names.
    ///
    /// - Parameter environment: The process's environment.
    /// - Returns: What was armed, for the log; `nil` where nothing was asked for.
    /// - Throws: ``FaultInjectionError``, whose message is a sentence to stop the start with.
    @discardableResult
    package static func arm(from environment: [String: String]) throws(FaultInjectionError) -> CrashOrder? {
        guard let order = try CrashOrder.parse(environment) else { return nil }
        countdown.arm(order)
        return order
    }

    /// Marks a crash point; the process dies here, by SIGKILL, where this is the arrival that was asked for.
    @inline(__always)
    package static func reached(_ point: CrashPoint) {
        guard countdown.arrive(at: point) else { return }
        die()
    }

    @inline(never)
    private static func die() -> Never {
        kill(getpid(), SIGKILL)
        // The signal may be delivered to another thread first; nothing past the crash point may run meanwhile.
        while true { pause() }
    }
}
