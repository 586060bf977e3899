import Domain
import FaultInjection
import FoundationEssentials
import Logging
import Messaging
import Persistence
import ServiceBase
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
        /// Before the run was committed or claimed: the lease must have held ever since.
        var since: ContinuousClock.Instant
    }

    let slots: RunSlots
    private let repository: RunRepository
    let versions: AutomationVersions
    private let committer: RunCommitter
    private let effects: EffectPerformer
    private let lanes: LaneGroup
    private let owner: UUID
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let alarm = Alarm()
    private let isDraining = Atomic(false)
    private let resting = RestingRuns()
    private let metrics = EngineMetrics()
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

    /// Takes over a run that was committed after an instant.
    func committed(_ machine: RunMachine, next: RunMachine.Next, since: ContinuousClock.Instant) {
        switch next {
        case .attempts: order.yield(Order(machine: machine, next: next, since: since))
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

    /// What a run that is driven waits for.
    private enum Event: Sendable {
        case ended(Int, AttemptOutcome)
        /// The time of a waiting step may have come.
        case due
    }

    private func drive(_ order: Order) async {
        var machine = order.machine
        let run = machine.record.id
        defer {
            slots.release(run)
            // There is room for another one.
            alarm.ring()
        }
        var next = order.next
        var since = order.since
        if next == nil {
            next = await resume(&machine)
        }
        await withTaskGroup(of: Event.self) { attempts in
            var last = ContinuousClock.now
            var wakeUp: ContinuousClock.Instant?
            while case .attempts(let positions) = next {
                for position in positions {
                    CrashPoints.reached(.beforeEffect)
                    attempts.addTask { [effects, lanes, machine, since] in
                        let outcome = await effects.perform(machine, position) { lanes.holdsLease(since: since) }
                        return .ended(position, outcome)
                    }
                }
                // A step that is due already goes on as soon as there is room for it.
                if let wait = machine.nextTime, wait > .zero, wakeUp.map({ last + wait < $0 }) ?? true {
                    wakeUp = last + wait
                    attempts.addTask { [until = last + wait] in
                        try? await Task.sleep(until: until)
                        return .due
                    }
                }
                guard let event = await attempts.next() else {
                    break
                }
                machine.elapse(ContinuousClock.now - last)
                last = .now
                switch event {
                case .ended(let position, let outcome):
                    CrashPoints.reached(.afterEffectBeforeRecord)
                    since = .now
                    next = await record(&machine, position, outcome)
                case .due:
                    wakeUp = wakeUp.flatMap { $0 > last ? $0 : nil }
                    next = .attempts([])
                    if machine.nextTime == .zero {
                        since = .now
                        next = await resume(&machine, isClaimed: false)
                    }
                }
            }
            // Nobody waits for the time of a step any more; attempts are left only where the run is no longer held here.
            attempts.cancelAll()
        }
    }

    /// Goes on with a run that was claimed, or of which a step's time has come; nil where it is no longer held here.
    private func resume(_ machine: inout RunMachine, isClaimed: Bool = true) async -> RunMachine.Next? {
        let stored = machine.record
        let next =
            isClaimed
            ? machine.resumed(at: now(), chance: .random(in: 0...1), mayAttempt: mayAttempt)
            : machine.timePassed(at: now(), mayAttempt: mayAttempt)
        do {
            let isHeld = try await store(&machine)
            resting.resumed(stored.id)
            return isHeld ? next : nil
        } catch {
            logger.error("a resumed run cannot be stored", metadata: ["error": "\(error)"])
            await leave(stored.id, stored, StepError.notExecutable("The run's next state cannot be stored."))
            return nil
        }
    }

    /// Whether another attempt may begin: while the process drains, it is left to another replica.
    private var mayAttempt: Bool { !isDraining.load(ordering: .relaxed) }

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
            mayAttempt: mayAttempt
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
        // Once at least, for what is known now is not known to anybody later.
        repeat {
            do {
                let isHeld = try await committer.commit(update)
                if !isHeld {
                    logger.notice(
                        "a run is no longer held here, and nothing more is stored of it",
                        metadata: ["run_id": "\(update.record.id.lowercased)", "fence": "\(update.record.fence)"]
                    )
                }
                return isHeld
            } catch let error as LaneError where error.code == .draining {
                return false
            } catch  where BatchConsumer.FailureKind(of: error) == .data {
                throw error
            } catch {
                logger.warning("a run's step is stored again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(2))
            }
        } while !Task.isCancelled
        return false
    }

    // MARK: Runs without a driver

    private func search() async {
        var turns = ClaimTurns()
        while !Task.isCancelled {
            var pause = Self.interval
            do {
                if try await claim(&turns) > 0 {
                    continue
                }
                let room = slots.room(limit: slots.capacity)
                // What is due and was not claimed belongs to a tenant without room, and waits until it has some.
                if room.limit > 0,
                    let left = try await repository.nextTimer(
                        isToCome: room.hasFullTenant,
                        deadline: .now + .seconds(5)
                    )
                {
                    pause = min(pause, max(.milliseconds(20), left))
                }
            } catch  where !Task.isCancelled {
                logger.warning("runs cannot be claimed", metadata: ["error": "\(error)"])
            } catch {
                return
            }
            await alarm.sleep(for: pause)
        }
    }

    /// Claims runs and begins to drive them; answers how many are driven now.
    private func claim(_ turns: inout ClaimTurns) async throws -> Int {
        let since = ContinuousClock.now
        var room = slots.room(limit: 100)
        guard room.limit > 0, lanes.holdsLease(since: since) else {
            return 0
        }
        let deadline = since + .seconds(10)
        // Those first that are this replica's own already: nobody else can take them.
        var runs = try await repository.claimOrphans(
            room: room,
            owner: owner,
            held: { withheld },
            deadline: deadline
        )
        room.take(runs)
        if room.limit > 0 {
            runs += try await repository.claim(
                room: room,
                turns: &turns,
                owner: owner,
                held: withheld + runs.map(\.id),
                deadline: deadline
            )
        }
        guard !runs.isEmpty else {
            return 0
        }
        CrashPoints.reached(.duringTakeover)
        return try await begin(runs, since: since, deadline: deadline)
    }

    /// Begins to drive claimed runs; answers how many.
    ///
    /// What a failure leaves without a driver, the next search finds.
    private func begin(
        _ claimed: some Collection<ClaimedRun>,
        since: ContinuousClock.Instant,
        deadline: ContinuousClock.Instant
    ) async throws -> Int {
        let runs: [UUID: Result<LoadedRun, any Error>]
        do {
            runs = try await repository.load(claimed.map(\.id), deadline: deadline)
        } catch  where claimed.count > 1 && ContinuousClock.now < deadline {
            // One of them may be what cannot be read, and the others are not to suffer for it.
            var begun = 0
            for half in [claimed.prefix(claimed.count / 2), claimed.dropFirst(claimed.count / 2)] {
                begun += try await begin(Array(half), since: since, deadline: deadline)
            }
            return begun
        }
        var begun = 0
        for run in claimed where slots.reserve(run.id, of: run.tenant) == .entered {
            do {
                guard let loaded = try runs[run.id]?.get() else {
                    throw PostgresError(.decoding, "the run is not stored")
                }
                let automation = try await versions.version(of: loaded.record, deadline: deadline)
                let machine = RunMachine(automation, signal: try loaded.signal(), stored: loaded.record)
                order.yield(Order(machine: machine, next: nil, since: since))
                begun += 1
            } catch {
                await leave(run.id, try? runs[run.id]?.get().record, error)
                slots.release(run.id)
            }
        }
        return begun
    }

    /// Leaves a claimed run that cannot be resumed here to others, and ends it when nobody could for long.
    private func leave(_ id: UUID, _ record: RunRecord?, _ error: any Error) async {
        var metadata: Logger.Metadata = ["run_id": "\(id.lowercased)", "error": "\(error)"]
        defer { logger.error("a run cannot be resumed", metadata: metadata) }
        let verdict = resting.failed(id, at: record?.steps, now: .now)
        metrics.rest(resting.runs(at: .now).count)
        do {
            guard var record, let error = error as? StepError, verdict == .giveUp else {
                try await repository.release(id, owner: owner, deadline: .now + .seconds(10))
                return
            }
            let change = record.giveUp(error, at: now())
            if try await committer.commit(RunUpdate(record: record, change: change)) {
                metadata["status"] = "\(record.status.rawValue)"
            }
        } catch {
            metadata["then"] = "\(error)"
        }
    }

    /// The runs that are not to be claimed now: those driven here, and those that rest.
    private var withheld: [UUID] {
        slots.runs + resting.runs(at: .now)
    }
}
