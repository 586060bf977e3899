import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import Messaging
import Persistence

/// Turns batches of signals into runs: the engine's transaction.
struct SignalProcessor: Sendable {
    /// What became of a batch, for the counters.
    struct Outcome: Sendable {
        var received: Int
        var fresh: Int
        var runs: [RunRecord]
        /// The matches that have started no run.
        var refusals: [AdmissionRefusal] = []
    }

    let lanes: LaneGroup
    let catalogue: AutomationCatalogue
    let driver: RunDriver
    let owner: UUID
    /// Microseconds of Unix time.
    let now: @Sendable () -> Int64
    let metrics = EngineMetrics()

    init(
        lanes: LaneGroup,
        catalogue: AutomationCatalogue,
        driver: RunDriver,
        owner: UUID,
        now: @escaping @Sendable () -> Int64
    ) {
        self.lanes = lanes
        self.catalogue = catalogue
        self.driver = driver
        self.owner = owner
        self.now = now
    }

    /// Processes signals in one transaction.
    ///
    /// - Throws: `PostgresError`, `LaneError`; nothing has happened then.
    func process(_ signals: [IncomingSignal]) async throws -> Outcome {
        try await process(signals) { _, write in .none(try await write()) }
    }

    /// Processes signals in one transaction that may change more.
    ///
    /// - Parameters:
    ///   - signals: The signals.
    ///   - deadline: After this nothing is tried any more; nil where others decide that.
    ///   - envelope: Is given the transaction, and what claims the signals and writes their runs in it: called once, or
    ///     not at all.
    /// - Returns: The result of the envelope's change, once it is committed.
    /// - Throws: `PostgresError`, `LaneError`, what the envelope throws; nothing has happened then.
    func process<Answer: Sendable>(
        _ signals: [IncomingSignal],
        deadline: ContinuousClock.Instant? = nil,
        in envelope: (ChangeTransaction, () async throws -> Outcome) async throws -> Change<Answer>
    ) async throws -> Answer {
        func mayTryAgain(after attempts: Int) -> Bool {
            attempts < 100 && deadline.map { ContinuousClock.now < $0 } ?? true
        }
        // A signal may be twice in a batch, when the broker redelivers it beside a resent copy.
        var seen: Set<UUID> = []
        let unique = signals.filter { seen.insert($0.id).inserted }
        var attempts = 0
        while true {
            do {
                return try await attempt(unique, received: signals.count, deadline: deadline, in: envelope)
            } catch let error as PostgresError
                where error.sqlState == GuardState.automationsChanged && mayTryAgain(after: attempts)
            {
                attempts += 1
                try await catalogue.refresh()
            } catch let error as LaneError where error.isRetryable && mayTryAgain(after: attempts) {
                attempts += 1
            } catch is AdmissionOvertaken where mayTryAgain(after: attempts) {
                attempts += 1
            }
        }
    }

    private func attempt<Answer: Sendable>(
        _ signals: [IncomingSignal],
        received: Int,
        deadline: ContinuousClock.Instant?,
        in envelope: (ChangeTransaction, () async throws -> Outcome) async throws -> Change<Answer>
    ) async throws -> Answer {
        let index = catalogue.current
        let matches = signals.flatMap { signal in
            index.matches(signal).map { automation in
                Match(runID: UUIDv7.make(), signal: signal, automation: automation)
            }
        }
        .sorted { ($0.signal.id, $0.automation.key) < ($1.signal.id, $1.automation.key) }
        // A run with effects is entered before its claim commits: nobody may then find it without a driver.
        let reserved = reserve(matches)
        let since = ContinuousClock.now
        do {
            let (answer, begun) = try await lanes.change(deadline: deadline) { transaction in
                var begun = AdmittedRuns()
                let answer = try await envelope(transaction) {
                    let (outcome, more) = try await write(
                        signals,
                        matches,
                        index.generation,
                        reserved,
                        received: received,
                        in: transaction.lane
                    )
                    begun = more
                    return outcome
                }
                return answer.map { ($0, begun) }
            }
            metrics.admitted(begun)
            if begun.wakesOthers { driver.wake() }
            var driven: Set<UUID> = []
            for (machine, next) in begun.begun where next != .end {
                if case .attempts = next { driven.insert(machine.record.id) }
                driver.committed(machine, next: next, since: since)
            }
            for run in reserved.subtracting(driven) { driver.slots.release(run) }
            return answer
        } catch {
            for run in reserved { driver.slots.release(run) }
            throw error
        }
    }

    /// Enters the runs with effects that there is room for; the others wait in the queue.
    private func reserve(_ matches: [Match]) -> Set<UUID> {
        var reserved: Set<UUID> = []
        for match in matches where match.automation.hasEffects && !match.signal.isForDryRun {
            let admission = driver.slots.reserve(match.runID, of: match.automation.tenant)
            if admission == .entered {
                reserved.insert(match.runID)
            } else {
                metrics.putOff(admission)
            }
        }
        return reserved
    }

    /// Claims the signals, and writes the runs of those that were not processed before.
    private func write(
        _ signals: [IncomingSignal],
        _ matches: [Match],
        _ generation: Int64,
        _ reserved: Set<UUID>,
        received: Int,
        in transaction: LaneTransaction
    ) async throws -> (Outcome, AdmittedRuns) {
        let claim = RunRepository.Claim(
            signals: signals,
            matches: matches.map { ($0.signal.id, $0.automation.key, $0.signal.tenant, $0.runID) },
            generation: generation
        )
        let results = try await transaction.database.pipeline(RunRepository.claiming(claim))
        guard let row = results.last?.first else {
            throw PostgresError(.decoding, "the claim has no answer")
        }
        let fresh = Set(try row.decode(0, as: [UUID].self))
        let new = signals.filter { fresh.contains($0.id) }
        let awaited = try AwaitedSignals(new, shapes: results[1])
        let claimed = Set(try row.decode(1, as: [UUID].self))
        let won = matches.filter { claimed.contains($0.runID) }
        var admitted = try await admit(won, reserved, in: transaction)
        let updates = admitted.updates
        let begun = Set(updates.map(\.record.id))
        let started = admitted.refusals.isEmpty ? won : won.filter { begun.contains($0.runID) }
        transaction.enqueue(
            RunRepository.insertion(of: updates.map(\.record), signals: Self.distinctSignals(of: started), owner: owner)
        )
        transaction.enqueue(
            RunRepository.describing(
                started.compactMap { match in
                    match.signal.aim.map { (match.runID, Array($0.metadata.rawBytes)) }
                }
            )
        )
        transaction.enqueue(RunRepository.recording(updates, owner: owner))
        transaction.enqueue(RunRepository.simulating(updates.map(\.record)))
        enqueue(admitted, in: transaction)
        var refused = CallerAnswers()
        refused.refuse(new, without: updates, admitted.refusals)
        let stored = admitted.superseded.filter(\.isStored).map(\.update)
        transaction.announce(updates + stored, telling: refused, at: now())
        transaction.enqueue(awaited.statements)
        admitted.wakesOthers =
            !awaited.isEmpty || !refused.isEmpty
            || (updates + stored).contains(where: \.answersCaller)
        let outcome = Outcome(
            received: received,
            fresh: fresh.count,
            runs: updates.map(\.record),
            refusals: admitted.refusals
        )
        return (outcome, admitted)
    }

    struct Match: Sendable {
        var runID: UUID
        var signal: IncomingSignal
        var automation: CompiledAutomation
    }

    /// The signals of matches, each once; matches are sorted by signal.
    private static func distinctSignals(of matches: [Match]) -> [IncomingSignal] {
        var signals: [IncomingSignal] = []
        for match in matches where signals.last?.id != match.signal.id {
            signals.append(match.signal)
        }
        return signals
    }
}
