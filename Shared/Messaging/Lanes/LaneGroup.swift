import Contracts
import Domain
import FoundationEssentials
import Logging
import ServiceLifecycle
import Synchronization

/// The lanes of one process: runs their transactions, and sees to it that what they hold arrives.
///
/// It stands after the database, the publisher and the request client in a service group, and before whatever writes.
package final class LaneGroup: Service {
    private let context: LaneContext
    private let pool: LanePool
    private let lanes: [Lane]
    private let relays: RelayRegistry
    private let watch: OutboxWatch
    private let lease = Mutex<(since: ContinuousClock.Instant, until: ContinuousClock.Instant)?>(nil)

    /// - Parameters:
    ///   - context: What the lanes have in common.
    ///   - count: How many transactions may be under way at once.
    package init(context: LaneContext, count: Int) {
        self.context = context
        let relays = RelayRegistry()
        self.relays = relays
        watch = OutboxWatch(relays: relays, limit: context.outbox.alarm, logger: context.logger)
        lanes = (0..<max(1, count)).map { index in
            Lane(name: String(index), context: context, registry: relays)
        }
        pool = LanePool(lanes)
    }

    /// Runs one transaction on a free lane that changes nothing that users see: signals, the progress of runs, lanes.
    ///
    /// Everything else is a ``change(deadline:_:)``. Nothing is repeated. A commit whose outcome was lost is settled before this returns or throws; only where it could
    /// not be settled before the deadline does the error leave the outcome open.
    ///
    /// - Parameters:
    ///   - deadline: When to give up; 15 seconds from now if nil.
    ///   - body: Does the work; what it throws rolls the transaction back.
    /// - Returns: What the body returns, once it is committed.
    /// - Throws: `LaneError`, `PostgresError`, or what the body throws.
    package func transaction<R: Sendable>(
        deadline: ContinuousClock.Instant? = nil,
        _ body: (LaneTransaction) async throws -> R
    ) async throws -> R {
        let lane = try await pool.checkout()
        defer { pool.checkin(lane) }
        return try await lane.transaction(deadline: deadline ?? .now + .seconds(15), body)
    }

    /// Settles what idle lanes have left unsettled.
    ///
    /// A lane settles before its next transaction; but what it has committed must reach others also where none comes.
    func settleIdle() async throws {
        var failure: (any Error)?
        var seen: Set<ObjectIdentifier> = []
        while let lane = pool.checkoutFree(where: { $0.isUnsettled && !seen.contains(ObjectIdentifier($0)) }) {
            seen.insert(ObjectIdentifier(lane))
            do {
                try await lane.settleNow(deadline: .now + .seconds(5))
            } catch {
                failure = error
            }
            pool.checkin(lane)
        }
        if let failure {
            throw failure
        }
    }

    /// Whether this instance has certainly held its lease all the time since an instant: nobody can have taken over in
    /// between what it has worked on since then.
    ///
    /// By this process's clock, which counts while the process is stopped, and with a second to spare.
    package func holdsLease(since instant: ContinuousClock.Instant) -> Bool {
        lease.withLock { lease in
            lease.map { $0.since <= instant && ContinuousClock.now < $0.until - .seconds(1) } ?? false
        }
    }

    /// The lease was renewed by a statement that was sent at this instant.
    func leaseRenewed(at instant: ContinuousClock.Instant) {
        lease.withLock { lease in
            let since = lease.flatMap { instant < $0.until ? $0.since : nil } ?? instant
            lease = (since, instant + .seconds(LaneKeeper.leaseSeconds))
        }
    }

    /// What the outbox holds that no consumer is known to have, by destination.
    package var backlogs: [Destination: OutboxBacklog] { watch.backlogs }

    /// A sentence about each destination whose outbox has grown old.
    package var findings: [String] { watch.findings }

    /// Relays, verifies, and takes over what other instances have left, until the process drains.
    package func run() async throws {
        await withDiscardingTaskGroup { group in
            let keeper = LaneKeeper(context: context, relays: relays, lanes: self)
            group.addTask { await keeper.run() }
            group.addTask { [watch] in await watch.run() }
            for destination in Destination.allCases {
                let verifier = LaneVerifier(context: context, relays: relays, destination: destination)
                group.addTask { await verifier.run() }
            }
            group.addTask { [relays] in
                await withDiscardingTaskGroup { relayGroup in
                    for await relay in relays.added {
                        relayGroup.addTask { await relay.run() }
                    }
                    relayGroup.cancelAll()
                }
            }
            try? await gracefulShutdown()
            await drain()
            group.cancelAll()
        }
    }

    /// How long a drain takes at most; what is left then is another instance's to send.
    private static let drainLimit = Duration.seconds(8)

    /// Closes the lanes, with an entry of each in the audit log, and waits a bounded time for what they hold.
    private func drain() async {
        let deadline = ContinuousClock.now + Self.drainLimit
        pool.drain()
        for lane in pool.free {
            await close(lane, deadline: deadline)
        }
        while !relays.all.allSatisfy(\.isFlushed), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        for relay in relays.all {
            try? await context.repository.progress(
                epoch: relay.epoch,
                destination: relay.destination,
                confirmed: relay.confirmed,
                verified: 0,
                deadline: deadline
            )
        }
        try? await context.repository.endLease(of: context.instance, deadline: deadline)
    }

    private func close(_ lane: Lane, deadline: ContinuousClock.Instant) async {
        guard let epoch = lane.epoch else {
            return
        }
        do {
            try await lane.transaction(deadline: deadline, closing: true) { transaction in
                let last = lane.numbers
                transaction.audit(
                    .laneClosed(
                        producer: lane.producer,
                        epoch: transaction.epoch,
                        // The entry itself is the last one of the lane.
                        last: LaneNumbers(signals: last.signals, commands: last.commands, audit: last.audit + 1),
                        by: context
                    )
                )
            }
        } catch {
            context.logger.notice(
                "a lane is left open, and another instance will close it",
                metadata: ["error": "\(error)", "epoch": "\(epoch)"]
            )
        }
    }
}

extension AuditDraft {
    /// The entry that ends a lane: its last numbers, so that a cut tail shows.
    static func laneClosed(producer: String, epoch: Int64, last: LaneNumbers, by context: LaneContext) -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: "batuta",
            actor: AuditActor(type: .system, id: context.service),
            action: "lane.closed",
            object: AuditObject(type: "lane", id: "\(producer)/\(epoch)"),
            before: .none,
            after: .canonical(
                Array(
                    #"{"audit":\#(last.audit),"commands":\#(last.commands),"signals":\#(last.signals)}"#.utf8
                )
            )
        )
    }
}
