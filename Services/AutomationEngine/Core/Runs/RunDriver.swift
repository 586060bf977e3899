import Domain
import FaultInjection
import FoundationEssentials
import Logging
import Messaging
import Persistence
import ServiceLifecycle
import Synchronization

/// Drives the runs whose steps have effects: records each attempt, makes it, and records how it ended.
///
/// Runs come from batches that this replica has just committed, and from the search for those that nobody drives: whose
/// timer is due, that wait in the queue, or whose owner is gone.
final class RunDriver: Service {
    /// How often runs without a driver are looked for, at least.
    static let interval = Duration.seconds(1)

    private struct Order: Sendable {
        var machine: RunMachine
        /// What is to be done; nil where the run was claimed, and nothing of this claim is stored yet.
        var next: RunMachine.Next?
    }

    let slots: RunSlots
    private let repository: RunRepository
    private let versions: AutomationVersions
    private let committer: RunCommitter
    private let effects: EffectPerformer
    private let lanes: LaneGroup
    private let owner: UUID
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let alarm = Alarm()
    private let isDraining = Atomic(false)
    private let orders: AsyncStream<Order>
    private let order: AsyncStream<Order>.Continuation

    init(
        slots: RunSlots,
        repository: RunRepository,
        versions: AutomationVersions,
        committer: RunCommitter,
        effects: EffectPerformer,
        lanes: LaneGroup,
        owner: UUID,
        now: @escaping @Sendable () -> Int64,
        logger: Logger
    ) {
        self.slots = slots
        self.repository = repository
        self.versions = versions
        self.committer = committer
        self.effects = effects
        self.lanes = lanes
        self.owner = owner
        self.now = now
        self.logger = logger
        (orders, order) = AsyncStream.makeStream()
    }

    /// Takes over a run whose attempt is committed, or whose slot is not needed after all.
    func committed(_ machine: RunMachine, next: RunMachine.Next) {
        switch next {
        case .attempt: order.yield(Order(machine: machine, next: next))
        case .wait, .queue: alarm.ring()
        case .park, .end: break
        }
    }

    /// Runs are stored that wait for a driver.
    func wake() {
        alarm.ring()
    }

    /// Drives until the process drains; attempts under way then end first.
    func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await cancelWhenGracefulShutdown { await self.search() }
                // What has begun ends; what comes after it is left to another replica.
                self.isDraining.store(true, ordering: .relaxed)
                self.order.finish()
            }
            for await order in orders {
                group.addTask { await self.drive(order) }
            }
        }
    }

    // MARK: Driving

    private func drive(_ order: Order) async {
        var machine = order.machine
        let run = machine.record.id
        defer {
            slots.release(run)
            // There is room for another one.
            alarm.ring()
        }
        var next = order.next
        if next == nil {
            next = await resume(&machine)
        }
        while case .attempt(let position) = next {
            let outcome = await attempt(machine, position)
            CrashPoints.reached(.afterEffectBeforeRecord)
            next = await record(&machine, position, outcome)
        }
    }

    /// Goes on with a claimed run; nil where it is no longer held here.
    private func resume(_ machine: inout RunMachine) async -> RunMachine.Next? {
        let next = machine.resumed(at: now(), chance: .random(in: 0...1))
        do {
            return try await store(&machine) ? next : nil
        } catch {
            logger.error(
                "a run cannot be resumed",
                metadata: ["run_id": "\(machine.record.id.lowercased)", "error": "\(error)"]
            )
            return nil
        }
    }

    private func attempt(_ machine: RunMachine, _ position: Int) async -> AttemptOutcome {
        CrashPoints.reached(.beforeEffect)
        guard lanes.holdsLease else {
            // Another replica may have taken the run over; if not, the attempt is made again.
            let error = StepError(
                code: "lease_lost",
                detail: "The engine's lease had run out before the attempt; nothing was sent."
            )
            return .failed(AttemptOutcome.Failure(error: error, isRetryable: true))
        }
        return await effects.perform(machine, position)
    }

    /// Records how an attempt ended, and the next one; nil where the run is no longer held here.
    private func record(
        _ machine: inout RunMachine,
        _ position: Int,
        _ outcome: AttemptOutcome
    ) async -> RunMachine.Next? {
        let before = machine
        var next = machine.attemptEnded(
            position,
            outcome,
            at: now(),
            chance: .random(in: 0...1),
            mayAttempt: !isDraining.load(ordering: .relaxed)
        )
        do {
            return try await store(&machine) ? next : nil
        } catch {
            // The effect took place, and its outcome cannot be kept: that is what is kept.
            logger.error("the outcome of an attempt cannot be stored", metadata: ["error": "\(error)"])
            machine = before
            let refused = StepError(code: "not_storable", detail: "The outcome of the attempt cannot be stored.")
            let failure = AttemptOutcome.Failure(error: refused, isRetryable: false)
            next = machine.attemptEnded(position, .failed(failure), at: now(), chance: 0)
            return (try? await store(&machine)) == true ? next : nil
        }
    }

    /// Stores what has changed, again and again until it is stored or the run is no longer held here.
    ///
    /// - Throws: What lies in the data.
    private func store(_ machine: inout RunMachine) async throws -> Bool {
        let update = RunUpdate(record: machine.record, change: machine.takeChange())
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                return try await committer.commit(update)
            } catch let error as LaneError where error.code == .draining {
                return false
            } catch  where BatchConsumer.FailureKind(of: error) == .data {
                throw error
            } catch {
                logger.warning("a run's step is stored again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(2))
            }
        }
        return false
    }

    // MARK: Runs without a driver

    private func search() async {
        while !Task.isCancelled {
            var pause = Self.interval
            do {
                if try await claim() > 0 {
                    continue
                }
                if let due = try await repository.nextTimer(deadline: .now + .seconds(5)) {
                    pause = min(pause, .microseconds(max(0, due - now())))
                }
            } catch  where !Task.isCancelled {
                logger.warning("runs cannot be claimed", metadata: ["error": "\(error)"])
            } catch {
                return
            }
            await alarm.sleep(for: pause)
        }
    }

    /// Claims runs and begins to drive them; answers how many.
    private func claim() async throws -> Int {
        let limit = min(slots.free, 100)
        guard limit > 0, lanes.holdsLease else {
            return 0
        }
        let deadline = ContinuousClock.now + .seconds(10)
        let ids = try await repository.claim(limit: limit, owner: owner, held: slots.runs, deadline: deadline)
        guard !ids.isEmpty else {
            return 0
        }
        CrashPoints.reached(.duringTakeover)
        for loaded in try await repository.load(ids, deadline: deadline) where slots.reserve(loaded.record.id) {
            do {
                let automation = try await versions.version(of: loaded.record, deadline: deadline)
                let machine = RunMachine(automation, signal: loaded.signal, stored: loaded.record)
                order.yield(Order(machine: machine, next: nil))
            } catch {
                // The run stays this replica's own without a driver, and is found again.
                slots.release(loaded.record.id)
                logger.error(
                    "a run cannot be resumed",
                    metadata: ["run_id": "\(loaded.record.id.lowercased)", "error": "\(error)"]
                )
            }
        }
        return ids.count
    }
}
