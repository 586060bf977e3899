import Contracts
import DequeModule
import Domain
import FoundationEssentials
import Logging
import Messaging
import Persistence
import ServiceBase
import ServiceLifecycle
import Synchronization

/// Stores steps forward of runs in groups: what arrives while one transaction commits shares the next one.
///
/// A driver suspends in ``commit(_:)`` and goes on after the commit, or learns that the run is no longer its own. A batch
/// is whatever has arrived, never a timer.
final class RunCommitter: Service {
    private struct Waiting: Sendable {
        var update: RunUpdate
        var continuation: CheckedContinuation<Bool, any Error>
    }

    private struct State {
        var waiting: Deque<Waiting> = []
        var isStopped = false
    }

    /// How many updates one transaction takes at most.
    static let maximumBatch = 200

    private let lanes: LaneGroup
    private let owner: UUID
    /// Rung when runs have ended that may have had a place.
    private let freed: Alarm
    private let now: @Sendable () -> Int64
    private let metrics = EngineMetrics()
    private let state = Mutex(State())
    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - lanes: Runs the transactions.
    ///   - owner: The instance that holds the runs.
    ///   - freed: Rung when runs have ended that may have had a place.
    ///   - now: Microseconds of Unix time.
    init(lanes: LaneGroup, owner: UUID, freed: Alarm = Alarm(), now: @escaping @Sendable () -> Int64) {
        self.lanes = lanes
        self.owner = owner
        self.freed = freed
        self.now = now
        (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Stores a step forward.
    ///
    /// - Returns: Whether the run was still held under the record's fence; where not, nothing of the update was stored, or
    ///   it was stored before.
    /// - Throws: `PostgresError` or `LaneError`; storing it again is always right.
    func commit(_ update: RunUpdate) async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            let isStopped = state.withLock { state in
                if !state.isStopped {
                    state.waiting.append(Waiting(update: update, continuation: continuation))
                }
                return state.isStopped
            }
            if isStopped {
                continuation.resume(throwing: LaneError(code: .draining, message: "the process is shutting down"))
            } else {
                wakeUp.yield()
            }
        }
    }

    /// Commits until the process drains; what waits by then is still committed.
    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            for await _ in wakeUps {
                await commitAll()
            }
            await commitAll()
        } onCancelOrGracefulShutdown: {
            self.wakeUp.finish()
        }
        let rest = state.withLock { state in
            state.isStopped = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiting in rest {
            waiting.continuation.resume(throwing: LaneError(code: .draining, message: "the process is shutting down"))
        }
    }

    private func commitAll() async {
        while true {
            let batch = state.withLock { state in
                defer { state.waiting.removeFirst(min(Self.maximumBatch, state.waiting.count)) }
                return Array(state.waiting.prefix(Self.maximumBatch))
            }
            guard !batch.isEmpty else {
                return
            }
            await commit(batch)
        }
    }

    private func commit(_ batch: [Waiting]) async {
        do {
            let held = try await store(batch.map(\.update))
            metrics.stored(batch.map(\.update).filter { held.contains($0.hold) }.map(\.record))
            if batch.contains(where: { $0.update.givesPlaceBack }) { freed.ring() }
            for waiting in batch {
                waiting.continuation.resume(returning: held.contains(waiting.update.hold))
            }
        } catch  where batch.count > 1 && BatchConsumer.FailureKind(of: error) == .data {
            // One of them is at fault, and the others are not to suffer for it.
            for waiting in batch {
                await commit([waiting])
            }
        } catch {
            for waiting in batch {
                waiting.continuation.resume(throwing: error)
            }
        }
    }

    /// Updates that let the time of a step be over for which something has come at the last moment: they are not stored, and
    /// their runs are claimed once more.
    private func overtaken(_ updates: [RunUpdate], in transaction: LaneTransaction) async throws -> Set<RunUpdate.Hold>
    {
        let late = updates.filter { !$0.change.timedOut.isEmpty }
        guard !late.isEmpty else {
            return []
        }
        let runs = Set(
            try await transaction.database.execute(RunRepository.arrived(late, at: \.change.timedOut))
                .map { try $0.decode(0, as: UUID.self) }
        )
        return Set(late.map(\.hold).filter { runs.contains($0.run) })
    }

    /// Runs that are to be parked for a step whose answer has come while they were driven: they go on with it.
    private func answered(_ updates: [RunUpdate], in transaction: LaneTransaction) async throws -> Set<UUID> {
        let parked = updates.filter { $0.record.status == .unknown && $0.record.error == nil }
        guard !parked.isEmpty else {
            return []
        }
        let rows = try await transaction.database.execute(
            RunRepository.arrived(parked) { update in
                update.record.steps.indices.filter { update.record.steps[$0].status == .unknown }
            }
        )
        return Set(try rows.map { try $0.decode(0, as: UUID.self) })
    }

    private func store(_ updates: [RunUpdate]) async throws -> Set<RunUpdate.Hold> {
        try await lanes.transaction { transaction in
            let rows = try await transaction.database.execute(RunRepository.locking(updates, owner: owner))
            var held = Set(try rows.map { RunUpdate.Hold(run: try $0.decode(0), fence: try $0.decode(1)) })
            held.subtract(try await overtaken(updates.filter { held.contains($0.hold) }, in: transaction))
            var mine = updates.filter { held.contains($0.hold) }.sorted { $0.record.id < $1.record.id }
            guard !mine.isEmpty else {
                return held
            }
            let answered = try await answered(mine, in: transaction)
            for index in mine.indices where answered.contains(mine[index].record.id) {
                mine[index].record.status = .queued
            }
            transaction.enqueue(RunRepository.holding(mine))
            transaction.enqueue(RunRepository.changing(mine, owner: owner))
            transaction.enqueue(AdmissionRepository.freeing(mine.filter(\.givesPlaceBack).map(\.record.id)))
            transaction.announce(mine, at: now())
            return held
        }
    }
}

extension LaneTransaction {
    /// What steps forward of runs tell others: an audit entry of each end, the signals that were emitted, and what callers
    /// wait for.
    ///
    /// - Parameters:
    ///   - updates: The steps forward.
    ///   - more: What callers are told besides the ends of runs.
    ///   - time: Microseconds of Unix time.
    func announce(_ updates: [RunUpdate], telling more: CallerAnswers = CallerAnswers(), at time: Int64) {
        for update in updates {
            if update.record.status.isFinal {
                audit(update.record.endEntry(at: time))
            } else if update.record.status == .unknown {
                audit(update.record.parkEntry(at: time))
            }
            for emission in update.change.emissions {
                guard let tenant = Tenant(emission.tenant) else {
                    continue
                }
                publish(
                    signals: [emission.accepted],
                    tenant: tenant,
                    type: emission.type,
                    schemaVersion: emission.isAimed ? SignalsAcceptedV2.version : SignalsAcceptedV1.version
                )
            }
        }
        enqueue((CallerAnswers(updates) + more).statements)
    }
}
