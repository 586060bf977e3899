import Contracts
package import Domain
import FoundationEssentials
import Logging
import Messaging
import Persistence
import ServiceLifecycle

/// Commits signals in groups: what arrives while one transaction commits shares the next one.
///
/// Requests suspend in ``accept(_:credential:)`` and are answered after the commit. A batch is whatever has
/// arrived, never a timer, so a lone signal waits for nobody.
package final class SignalIntake: Service {
    private let lanes: LaneGroup
    private let identities: IdentityStore
    private let queue: SignalQueue
    private let limits: IntakeLimits
    private let rate: TenantRateLimiter
    private let refusals: TenantRefusals
    private let metrics: IntakeMetrics
    private let logger: Logger

    init(
        lanes: LaneGroup,
        identities: IdentityStore,
        limits: IntakeLimits,
        refusals: TenantRefusals,
        metrics: IntakeMetrics = IntakeMetrics(),
        logger: Logger
    ) {
        self.lanes = lanes
        self.identities = identities
        self.limits = limits
        self.refusals = refusals
        self.metrics = metrics
        self.logger = logger
        queue = SignalQueue(capacity: limits.waiting)
        rate = TenantRateLimiter(perSecond: limits.signalsPerSecond)
    }

    /// How many signals wait for a batch.
    package var waitingCount: Int { queue.count }

    /// How many batches are under way.
    package var busyCount: Int { queue.busyCount }

    /// Hands in signals and waits until they are committed, all of them in one transaction.
    ///
    /// - Parameters:
    ///   - signals: The signals, perhaps none.
    ///   - tenant: Whose they are.
    ///   - credential: The token that they came with, which is checked again in the transaction; nil where what let them
    ///     in was read from the database for this request.
    /// - Returns: For each, the id of the first signal of its key, and whether this one repeats it.
    /// - Throws: `GatewayProblem` where it is certain, or possible, that the signals are not stored; 429 where the tenant
    ///   has sent too many.
    package func accept(
        _ signals: [IncomingSignal],
        of tenant: Tenant,
        credential: TokenCredential?
    ) async throws -> [SignalReceipt] {
        let now = ContinuousClock.now
        if let wait = rate.take(max(1, signals.count), of: tenant, at: now), let perSecond = rate.perSecond {
            refusals.note(tenant, .signalRate, at: now)
            throw GatewayProblem.tooManySignals(perSecond: perSecond, wait: wait)
        }
        return try await withCheckedThrowingContinuation { continuation in
            let problem = queue.offer(
                WaitingSignals(
                    signals,
                    of: tenant,
                    credential: credential,
                    deadline: now + limits.patience,
                    continuation: continuation
                )
            )
            if problem == .tooManyWaiting {
                refusals.note(tenant, .waitingShare, at: now)
            }
        }
    }

    /// Commits batches until the process drains; what waits by then is still committed.
    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.refuseExpired() }
                await withDiscardingTaskGroup { loops in
                    for loop in 0..<limits.lanes {
                        loops.addTask { await self.commitBatches(loop) }
                    }
                }
                group.cancelAll()
            }
        } onCancelOrGracefulShutdown: {
            self.queue.close()
        }
    }

    private func refuseExpired() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            queue.nudge()
            refuse(queue.removeExpired(at: .now), .databaseAway)
        }
    }

    private func commitBatches(_ loop: Int) async {
        while let batch = await queue.take(loop) {
            await commit(batch)
        }
    }

    /// Commits a batch, or refuses every signal of it; each is answered exactly once.
    private func commit(_ batch: [WaitingSignals]) async {
        var waiting = batch
        var triesLeft = 2
        var reloadsLeft = 8
        while true {
            let now = ContinuousClock.now
            refuse(waiting.filter { $0.deadline <= now }, .databaseAway)
            waiting.removeAll { $0.deadline <= now }
            do {
                let snapshot = try await currentIdentities()
                waiting = refuseRevoked(waiting, snapshot)
                guard !waiting.isEmpty else {
                    return
                }
                answer(waiting, try await write(waiting, generation: snapshot.generation))
                return
            } catch let error as PostgresError where error.sqlState == GuardState.identitiesChanged && reloadsLeft > 0 {
                reloadsLeft -= 1
                do {
                    _ = try await identities.current()
                } catch {
                    return refuse(waiting, error)
                }
            } catch  where Self.isRetryable(error) && triesLeft > 1 {
                triesLeft -= 1
                logger.warning("a batch of signals is tried again", metadata: ["error": "\(error)"])
            } catch {
                return refuse(waiting, error)
            }
        }
    }

    private func currentIdentities() async throws -> IdentitySnapshot {
        if let held = identities.held {
            return held
        }
        return try await identities.current()
    }

    /// Refuses the signals whose tokens were found in an older snapshot and are gone from this one.
    private func refuseRevoked(_ waiting: [WaitingSignals], _ snapshot: IdentitySnapshot) -> [WaitingSignals] {
        func isLive(_ credential: TokenCredential?) -> Bool {
            guard let credential, credential.generation != snapshot.generation else {
                return true
            }
            return snapshot.principals[credential.token] != nil
        }
        guard !waiting.allSatisfy({ isLive($0.credential) }) else {
            return waiting
        }
        refuse(waiting.filter { !isLive($0.credential) }, GatewayProblem(.unauthenticated))
        return waiting.filter { isLive($0.credential) }
    }

    private func write(_ waiting: [WaitingSignals], generation: Int64) async throws -> [SignalBatch.Outcome] {
        let batch = SignalBatch(waiting.flatMap(\.signals))
        // The oldest one's patience must not end the batch of all the others.
        let deadline = max(waiting.map(\.deadline).min() ?? .now, .now + .seconds(2))
        let outcomes = try await lanes.transaction(deadline: deadline) { lane in
            let rows = try await lane.database.pipeline([
                SignalRepository.requireGeneration(generation), SignalRepository.takeKeys(batch.leaders),
            ])
            let fresh = Set(try rows.last.map { try $0.map { try $0.decode(0, as: UUID.self) } } ?? [])
            let known = try await Self.holders(of: batch.taken(fresh: fresh), in: lane)
            let accepted = batch.leaders.filter { fresh.contains($0.signalID) }
            if !accepted.isEmpty {
                lane.enqueue([SignalRepository.store(accepted, epoch: lane.epoch)])
                Self.publish(accepted, in: lane)
            }
            return batch.outcomes(fresh: fresh, known: known)
        }
        return try outcomes.map { outcome in
            guard let outcome else {
                throw PostgresError(.connectionLost, "a signal's key was deleted while it was looked up")
            }
            return outcome
        }
    }

    private static func holders(
        of signals: [IncomingSignal],
        in lane: LaneTransaction
    ) async throws -> [[UInt8]: SignalBatch.Known] {
        guard !signals.isEmpty else {
            return [:]
        }
        var known: [[UInt8]: SignalBatch.Known] = [:]
        for row in try await lane.database.execute(SignalRepository.holders(of: signals)) {
            let key = IncomingSignal.key(tenant: try row.decode(0), source: try row.decode(1), id: try row.decode(2))
            known[key] = SignalBatch.Known(signalID: try row.decode(3), digest: try row.decode(4))
        }
        return known
    }

    private static func publish(_ signals: [IncomingSignal], in lane: LaneTransaction) {
        struct Destination: Hashable {
            let tenant: String
            let type: String
        }
        var groups: [Destination: [IncomingSignal]] = [:]
        for signal in signals {
            groups[Destination(tenant: signal.tenant.key, type: signal.type), default: []].append(signal)
        }
        for group in groups.values {
            guard let first = group.first else {
                continue
            }
            lane.publish(
                signals: group.map { AcceptedSignal(id: $0.signalID, event: $0.event, traceparent: $0.traceparent) },
                tenant: first.tenant,
                type: first.type
            )
        }
    }

    private func answer(_ waiting: [WaitingSignals], _ outcomes: [SignalBatch.Outcome]) {
        metrics.committed(outcomes)
        var rest = outcomes[...]
        for group in waiting {
            group.answer(rest.prefix(group.signals.count).map(\.receipt))
            rest = rest.dropFirst(group.signals.count)
        }
    }

    private func refuse(_ waiting: [WaitingSignals], _ error: any Error) {
        guard !waiting.isEmpty else {
            return
        }
        logger.warning(
            "signals were refused",
            metadata: ["count": "\(waiting.reduce(0) { $0 + $1.signals.count })", "error": "\(error)"]
        )
        refuse(waiting, GatewayProblem(error))
    }

    private func refuse(_ waiting: [WaitingSignals], _ problem: GatewayProblem) {
        for group in waiting {
            metrics.refused(group.signals.count)
            group.refuse(problem)
        }
    }

    private static func isRetryable(_ error: any Error) -> Bool {
        switch error {
        case let error as PostgresError: error.isRetryable && !error.isResourceExhausted
        case let error as LaneError: error.isRetryable
        default: false
        }
    }
}
