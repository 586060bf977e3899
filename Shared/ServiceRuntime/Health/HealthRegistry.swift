import Synchronization

/// What makes the service ready: the checks of its parts, and where it stands between start and stop.
package final class HealthRegistry: Sendable {
    /// Where the service stands.
    package enum Phase: String, Sendable {
        /// Its parts are being built.
        case starting
        /// It takes work.
        case running
        /// It finishes what it has and takes no more.
        case draining
    }

    private struct State {
        var phase = Phase.starting
        var checks: [HealthCheck] = []
    }

    private let state = Mutex(State())

    /// Makes a registry of a service that is starting.
    package init() {}

    /// Where the service stands.
    package var phase: Phase { state.withLock { $0.phase } }

    /// Adds a check to `/readyz`.
    ///
    /// - Parameters:
    ///   - name: What is checked, such as `database`; an earlier check of the same name is replaced.
    ///   - bound: How long the check may take.
    ///   - check: Finds out; its reason is shown to whoever asks, so it holds no address and no secret.
    package func register(
        _ name: String,
        within bound: Duration = .seconds(2),
        check: @escaping @Sendable () async -> HealthState
    ) {
        let check = HealthCheck(name: name, bound: bound, check: check)
        state.withLock { state in
            state.checks.removeAll { $0.name == name }
            state.checks.append(check)
        }
    }

    /// Notes that every part runs; draining is not undone.
    package func started() {
        state.withLock { state in
            if state.phase == .starting { state.phase = .running }
        }
    }

    /// Notes that the service stops; from now on it is not ready.
    package func drainingBegan() {
        state.withLock { $0.phase = .draining }
    }

    /// Runs all checks side by side.
    ///
    /// - Returns: A finding for the phase, named `service`, then one for each check in the order of registration.
    package func findings() async -> [HealthFinding] {
        let checks = state.withLock { $0.checks }
        let found = await withTaskGroup(of: (Int, HealthFinding).self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask { (index, await check.find()) }
            }
            return await group.reduce(into: [(Int, HealthFinding)]()) { $0.append($1) }
        }
        // The phase is read last: a drain that began meanwhile must show.
        let phase = phase
        let own = HealthFinding(
            name: "service",
            state: phase == .running ? .ok : .failing("the service is \(phase.rawValue)")
        )
        return [own] + found.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
