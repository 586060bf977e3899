import Synchronization
import TestSupport

/// Does to a running system what a schedule says, and undoes it.
struct Nemesis: Sendable {
    /// Undoes a fault.
    typealias Undo = () async throws -> Void

    let installation: Installation
    let servers: FaultServers
    let network: FaultyNetwork?
    let clock: FakeClock?
    let journal: FaultJournal
    let load: SignalLoad.Running
    /// What is drawn while a fault is made.
    let seed: UInt64

    /// The processes that a fault has ended on purpose.
    private let ended = EndedProcesses()

    init(
        _ installation: Installation,
        _ servers: FaultServers,
        network: FaultyNetwork?,
        clock: FakeClock?,
        journal: FaultJournal,
        load: SignalLoad.Running,
        seed: UInt64
    ) {
        self.installation = installation
        self.servers = servers
        self.network = network
        self.clock = clock
        self.journal = journal
        self.load = load
        self.seed = seed
    }

    /// Waits for the entry's moment, makes the fault, lets it last, undoes it, and waits until all servers are whole.
    ///
    /// - Throws: `TestSupportError` when the load does not go on, or a fault can be neither made nor undone.
    func perform(_ entry: FaultSchedule.Entry) async throws {
        try await load.acknowledges(entry.after, within: FaultRound.patience)
        journal.note("\(entry.fault.name) \(entry.fault.target)")
        if let undo = try await begin(entry) {
            do {
                try await Task.sleep(for: entry.lasting)
            } catch {
                try await undo()
                throw error
            }
            try await undo()
        }
        journal.note("… undone")
        try await settle()
    }

    /// Waits until all servers are whole, and starts what has ended; what has ended by itself is a violation.
    func settle() async throws {
        try await servers.awaitWhole()
        for replica in installation.all where !replica.isRunning {
            let status = replica.process?.exitStatus ?? 0
            if !ended.contains(replica.name) { journal.violated("\(replica.name) has ended by itself with \(status)") }
        }
        try await installation.restartEnded()
        ended.clear()
    }

    /// Undoes everything that any fault can have left behind.
    func restore() async throws {
        network?.clear()
        for replica in installation.all { replica.process?.resume() }
        try clock?.set(0)
        try await servers.restore()
        try await settle()
    }

    /// Makes a fault; answers how it is undone, or nil where it has lasted and is over.
    private func begin(_ entry: FaultSchedule.Entry) async throws -> Undo? {
        switch entry.fault {
        case .kill, .crash, .sleep, .jump, .roll:
            try await beginWithProcesses(entry.fault)
        case .restartNodes, .killNodes, .rollNodes, .isolate, .flap, .moveLeaders, .closeConnections, .deleteQueue,
            .memoryAlarm, .diskAlarm:
            try await beginWithBroker(entry)
        case .endSessions, .restartDatabase, .killDatabase, .killBackend, .lockTable, .exhaustConnections, .failOver,
            .failOverLate, .stopStandby:
            try await beginWithDatabase(entry)
        case .latency, .resets, .loseAnswers, .slowReads:
            try beginWithNetwork(entry.fault)
        case .shuffle, .redeliver:
            try await beginWithDeliveries(entry)
        }
    }

    // MARK: - Processes

    func replica(_ process: Fault.Process) throws -> Replica {
        try installation.replica(process.service, process.number)
    }

    /// Kills a replica, which the next `settle` starts again.
    func kill(_ replica: Replica) async throws {
        ended.insert(replica.name)
        try await replica.kill()
    }

    /// Asks a replica to end; an end with an error is a violation.
    func terminate(_ replica: Replica) async throws {
        ended.insert(replica.name)
        let status = try await replica.terminate()
        if status != 0 { journal.violated("\(replica.name) was asked to end and ended with \(status)") }
    }

    /// Says that a replica is going to end.
    func expectEnd(of replica: Replica) { ended.insert(replica.name) }

    private final class EndedProcesses: Sendable {
        private let names = Mutex<Set<String>>([])

        func insert(_ name: String) { names.withLock { _ = $0.insert(name) } }
        func contains(_ name: String) -> Bool { names.withLock { $0.contains(name) } }
        func clear() { names.withLock { $0 = [] } }
    }
}
