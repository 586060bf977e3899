package import Foundation
package import TestSupport

/// One round: a system under load, faults by a schedule, everything undone, and what then holds.
package struct FaultRound: Sendable {
    /// How long a system with whole servers may take to acknowledge some signals, or to come to rest.
    package static let patience = Duration.seconds(150)

    private let installation: Installation
    private let servers: FaultServers
    private let network: FaultyNetwork?
    private let clock: FakeClock?
    private let subject: FaultRecord.Subject

    /// How many signals are acknowledged before the first fault is counted, and after the last.
    private let margin: Int

    /// - Parameters:
    ///   - installation: the system.
    ///   - servers: what it stands on.
    ///   - network: what is between them, if anything is.
    ///   - clock: the clock that processes can be started with, if there is one.
    ///   - subject: what is tested, for the record.
    ///   - margin: how many signals are acknowledged before the first fault is counted, and after the last.
    package init(
        _ installation: Installation,
        _ servers: FaultServers,
        network: FaultyNetwork? = nil,
        clock: FakeClock? = nil,
        subject: FaultRecord.Subject,
        margin: Int = 60
    ) {
        self.installation = installation
        self.servers = servers
        self.network = network
        self.clock = clock
        self.subject = subject
        self.margin = margin
    }

    /// Runs a schedule, and judges.
    ///
    /// - Parameters:
    ///   - schedule: the faults.
    ///   - journal: is told what is done and when.
    ///   - folder: where the artefacts of an invalid round are put; nil keeps none.
    /// - Returns: the record, with everything that does not hold.
    package func run(
        _ schedule: FaultSchedule,
        journal: FaultJournal,
        artefacts folder: URL?
    ) async -> FaultRecord {
        var record = FaultRecord(subject, schedule)
        do {
            try await RecordingSink.with(FaultWorkload.script) { sink in
                let prefix = "r\(UInt32.random(in: .min ... .max))"
                let workload = FaultWorkload(installation, prefix: prefix, sink: sink)
                do {
                    try await run(schedule, workload, journal, &record)
                    try await FaultVerdict(installation: installation, workload: workload, sink: sink).judge(&record)
                } catch {
                    record.violations.append("\(error)")
                }
                record.violations = journal.violations + record.violations
                if !record.isValid, let folder {
                    await FaultArtefacts(folder).keep(record, of: installation, journal: journal, calls: sink.calls)
                }
            }
        } catch {
            record.violations.append("\(error)")
        }
        return record
    }

    private func run(
        _ schedule: FaultSchedule,
        _ workload: FaultWorkload,
        _ journal: FaultJournal,
        _ record: inout FaultRecord
    ) async throws {
        try await workload.prepare()
        let retried = installation.history.retried
        let load = SignalLoad(
            installation,
            prefix: workload.prefix,
            types: workload.types,
            clients: 6,
            pause: .milliseconds(150),
            habits: SignalLoad.Habits(repeated: 0.05, givenUp: 0.02, seed: schedule.seed)
        )
        let measured = try await load.during { running in
            try await running.acknowledges(margin, within: Self.patience)
            let nemesis = Nemesis(
                installation,
                servers,
                network: network,
                clock: clock,
                journal: journal,
                load: running,
                seed: schedule.seed
            )
            let (began, before) = (ContinuousClock.now, running.count)
            try await administrating(workload) { try await perform(schedule, with: nemesis) }
            let healed = ContinuousClock.now
            let goodput = Double(running.count - before) / max(0.001, (healed - began) / .seconds(1))
            try await running.acknowledges(margin, within: Self.patience)
            return (healed, goodput)
        }
        record.goodput = measured.1
        if schedule.faultClass == .rolling { noteErrors(since: retried, journal) }
        journal.note("the load has ended")
        try await Invariants(installation).hold(within: Self.patience)
        record.recovery = (ContinuousClock.now - measured.0) / .seconds(1)
        journal.note("at rest, and every invariant holds")
    }

    /// Makes every fault in turn; whatever becomes of them, everything is undone at the end.
    private func perform(_ schedule: FaultSchedule, with nemesis: Nemesis) async throws {
        do {
            for entry in schedule.entries { try await nemesis.perform(entry) }
        } catch {
            try? await nemesis.restore()
            throw error
        }
        try await nemesis.restore()
    }

    private func administrating(_ workload: FaultWorkload, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await workload.administrate() }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            group.cancelAll()
            try await group.waitForAll()
            try result.get()
        }
    }

    /// A rolling restart shows itself to clients as a 503 that they repeat, or as a connection that nobody took; a
    /// request that was sent and got no answer is an error.
    private func noteErrors(since earlier: [String: Int], _ journal: FaultJournal) {
        let expected = ["503", "429", SignalLoad.givenUp]
        for (reason, count) in installation.history.retried where count > earlier[reason, default: 0] {
            let isSeen = expected.contains(reason) || reason.localizedCaseInsensitiveContains("refused")
            if !isSeen, !reason.contains("I/O on closed channel") {
                journal.violated("a rolling restart was seen by clients \(count) times: \(reason)")
            }
        }
    }
}
