import FaultInjection
import TestSupport

extension Nemesis {
    func beginWithProcesses(_ fault: Fault) async throws -> Undo? {
        switch fault {
        case .kill(let process):
            try await kill(try replica(process))
        case .crash(let process, let point, let arrival):
            try await crash(try replica(process), at: point, arrival: arrival)
        case .sleep(let process):
            let sleeper = try replica(process).process
            sleeper?.pause()
            return { sleeper?.resume() }
        case .jump(let process, let seconds):
            return try await jump(try replica(process), by: seconds)
        case .roll(let processes):
            for process in processes { try await roll(try replica(process)) }
        default:
            break
        }
        // What has ended is started again when everything has settled.
        return {}
    }

    /// Starts a process that is to die at a crash point, and waits until it has, or has had its chance.
    private func crash(_ replica: Replica, at point: CrashPoint, arrival: Int) async throws {
        try await terminate(replica)
        let siblings = installation.replicas(of: replica.service).filter { $0.name != replica.name }
        // Only one audit-writer consumes at a time: without the others it is this one.
        if replica.service == .auditWriter { for sibling in siblings { try await kill(sibling) } }
        try await replica.start(crashingAt: "\(point.rawValue):\(arrival)")
        // What they leave is taken over by this one.
        if point == .duringTakeover { for sibling in siblings { try await kill(sibling) } }
        let hasDied = (try? await replica.process?.waitForExit(within: .seconds(30))) != nil
        if hasDied { return }
        journal.note("\(replica.name) never came to \(point.rawValue):\(arrival), and is killed where it is")
        try await kill(replica)
    }

    private func jump(_ replica: Replica, by seconds: Int) async throws -> Undo {
        guard let clock else { return {} }
        try clock.set(0)
        try await terminate(replica)
        try await start(replica, with: clock.environment)
        // Some work with the right time first: what jumps is a clock in use.
        try await load.acknowledges(10, within: FaultRound.patience)
        try clock.set(seconds)
        return {
            try clock.set(0)
            try await load.acknowledges(10, within: FaultRound.patience)
            try await terminate(replica)
        }
    }

    /// Replaces a process as an upgrade does, one at a time and each ready before the next one goes.
    private func roll(_ replica: Replica) async throws {
        try await terminate(replica)
        try await load.acknowledges(10, within: FaultRound.patience)
        try await replica.start()
        try await load.acknowledges(10, within: FaultRound.patience)
    }

    private func start(_ replica: Replica, with environment: [String: String]) async throws {
        try replica.launch(with: environment)
        try await replica.waitUntilReady()
    }
}
