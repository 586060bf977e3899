import Contracts
import Domain
import Logging
import PostgreSQL
import Synchronization

/// Renews the instance's lease, settles its idle lanes, takes over those of instances whose lease has expired, and clears
/// from the outbox what is kept beside the audit log.
struct LaneKeeper: Sendable {
    /// How long a lease lasts without renewal, in seconds.
    static let leaseSeconds = 8
    /// How often it is renewed.
    static let interval = Duration.seconds(2)

    let context: LaneContext
    let relays: RelayRegistry
    let lanes: LaneGroup

    /// Works until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            // Apart from the taking over, which may take longer than the lease.
            group.addTask { await repeating("the lease cannot be renewed", renew) }
            group.addTask { await repeating("lanes cannot be taken over", takeOver) }
            group.addTask { await repeating("an idle lane cannot be settled") { try await lanes.settleIdle() } }
            group.addTask { await repeating("kept values cannot be cleared from the outbox", clearKept) }
        }
    }

    private func repeating(_ failure: Logger.Message, _ work: @Sendable () async throws -> Void) async {
        while !Task.isCancelled {
            do {
                try await work()
            } catch  where !Task.isCancelled {
                context.logger.warning(failure, metadata: ["error": "\(error)"])
            } catch {
                return
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    @Sendable private func renew() async throws {
        let renewedAt = ContinuousClock.now
        try await context.repository.renewLease(
            of: context.instance,
            replica: context.replica,
            seconds: Self.leaseSeconds,
            deadline: .now + .seconds(3)
        )
        lanes.leaseRenewed(at: renewedAt)
    }

    @Sendable private func clearKept() async throws {
        while try await context.repository.clearKept(deadline: .now + .seconds(15)), !Task.isCancelled {}
    }

    @Sendable private func takeOver() async throws {
        let abandoned = try await context.repository.abandonedLanes(
            besides: relays.epochs,
            by: context.instance,
            limit: 16
        )
        for lane in abandoned {
            guard let taken = try await takeOver(lane) else {
                continue
            }
            context.logger.notice(
                "took over a lane",
                metadata: ["producer": "\(taken.producer)", "epoch": "\(taken.epoch)"]
            )
            relays.add(try await makeRelays(of: taken))
        }
        if abandoned.isEmpty {
            try await context.repository.forgetEndedInstances()
        }
    }

    /// The relays of what a lane still holds, its oldest message's age included.
    private func makeRelays(of lane: AbandonedLane) async throws -> [LaneRelay] {
        var made: [LaneRelay] = []
        for destination in Destination.allCases where lane.verified[destination] < lane.last[destination] {
            let oldest = try await context.repository.messages(
                epoch: lane.epoch,
                destination: destination,
                after: lane.verified[destination],
                limit: 1,
                withBodies: false
            )
            made.append(
                LaneRelay(
                    context: context,
                    epoch: lane.epoch,
                    producer: lane.producer,
                    destination: destination,
                    last: lane.last[destination],
                    confirmed: lane.confirmed[destination],
                    verified: lane.verified[destination],
                    oldest: oldest.first.flatMap { UUIDv7.milliseconds(of: $0.id) },
                    isTakenOver: true,
                    onConfirmed: { [relays] in relays.wakeVerifier(of: destination) }
                )
            )
        }
        return made
    }

    /// Takes one lane; nil if another instance was faster.
    ///
    /// Closing an open one is audited in the same transaction.
    private func takeOver(_ lane: AbandonedLane) async throws -> AbandonedLane? {
        let statement = context.repository.takeover(of: lane, by: context.instance)
        guard !lane.isClosed else {
            return try await context.database.execute(statement).first.map(LaneRepository.abandonedLane)
        }
        let taken = Taken()
        try await lanes.transaction { [context] transaction in
            guard let row = try await transaction.database.execute(statement).first else {
                return
            }
            let closed = try LaneRepository.abandonedLane(row)
            transaction.audit(
                .laneClosed(producer: closed.producer, epoch: closed.epoch, last: closed.last, by: context)
            )
            taken.lane.withLock { $0 = closed }
        }
        return taken.lane.withLock { $0 }
    }
}

/// What a lane transaction of the keeper found; its body answers nothing itself.
private final class Taken: Sendable {
    let lane = Mutex<AbandonedLane?>(nil)
}
