import Contracts
import Domain
import FoundationEssentials
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
    }

    let lanes: LaneGroup
    let catalogue: AutomationCatalogue
    let executor: RunExecutor

    /// Processes signals in one transaction.
    ///
    /// - Throws: `PostgresError`, `LaneError`; nothing has happened then.
    func process(_ signals: [IncomingSignal]) async throws -> Outcome {
        // A signal may be twice in a batch, when the broker redelivers it beside a resent copy.
        var seen: Set<UUID> = []
        let unique = signals.filter { seen.insert($0.id).inserted }
        var attempts = 0
        while true {
            do {
                return try await attempt(unique, received: signals.count)
            } catch let error as PostgresError where error.sqlState == GuardState.automationsChanged && attempts < 100 {
                attempts += 1
                try await catalogue.refresh()
            } catch let error as LaneError where error.isRetryable && attempts < 100 {
                attempts += 1
            }
        }
    }

    private func attempt(_ signals: [IncomingSignal], received: Int) async throws -> Outcome {
        let index = catalogue.current
        let matches = signals.flatMap { signal in
            index.matches(tenant: signal.tenant, type: signal.type).map { automation in
                Match(runID: UUIDv7.make(), signal: signal, automation: automation)
            }
        }
        .sorted { ($0.signal.id, $0.automation.key) < ($1.signal.id, $1.automation.key) }
        let claim = RunRepository.Claim(
            signals: signals,
            matches: matches.map { ($0.signal.id, $0.automation.key, $0.signal.tenant, $0.runID) },
            generation: index.generation
        )
        return try await lanes.transaction { transaction in
            let results = try await transaction.database.pipeline(RunRepository.claiming(claim))
            guard let row = results.last?.first else {
                throw PostgresError(.decoding, "the claim has no answer")
            }
            let fresh = try row.decode(0, as: Int.self)
            let claimed = Set(try row.decode(1, as: [UUID].self))
            let won = matches.filter { claimed.contains($0.runID) }
            let runs = won.map { executor.execute($0.automation, for: $0.signal, runID: $0.runID) }
            for run in runs {
                transaction.audit(run.endEntry(at: executor.now()))
            }
            transaction.enqueue(RunRepository.insertion(of: runs, signals: Self.distinctSignals(of: won)))
            return Outcome(received: received, fresh: fresh, runs: runs)
        }
    }

    private struct Match: Sendable {
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
