import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import Messaging
import Persistence
import ServiceLifecycle

/// Goes on with the replays that are running, whichever replica they were started on.
///
/// A page of fresh signals and the replay's new position are one transaction, which finds the row at the position that the
/// page was read from: so a page is sent once, whoever tries, and whatever ends the process. The next page follows when the
/// engine has begun every run of the one before, so what is accepted meanwhile waits behind a page of reruns at most, in
/// the broker as in the engine's queue of runs.
final class ReplayWorker: Service {
    /// What came of one look.
    private enum Outcome {
        case progress
        /// Something runs that has to wait for a moment.
        case waiting
        case idle
    }

    /// How long nobody else takes a replay that this replica has taken, in seconds.
    private static let hold = 15
    /// How long a replay waits for the engine, or for signals under way, in milliseconds.
    private static let pause = 200
    private static let idlePause = Duration.seconds(5)

    private let lanes: LaneGroup
    private let repository: ReplayRepository
    private let requests: RequestClient
    private let settling: UInt64
    private let logger: Logger
    private let calls: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - lanes: The gateway's lanes.
    ///   - repository: The replays.
    ///   - requests: The way to the engine.
    ///   - patience: How long the intake tries to commit a signal.
    ///   - logger: Told of what fails.
    init(
        lanes: LaneGroup,
        repository: ReplayRepository,
        requests: RequestClient,
        patience: Duration,
        logger: Logger
    ) {
        self.lanes = lanes
        self.repository = repository
        self.requests = requests
        settling = ReplayStep.settling(patience: patience)
        self.logger = logger
        (calls, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// A replay was started: do not wait for the next look.
    func wake() {
        continuation.yield()
    }

    /// Works until the service drains.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    while !Task.isCancelled {
                        self.wake()
                        try? await Task.sleep(for: Self.idlePause)
                    }
                }
                for await _ in self.calls {
                    await self.workOff()
                }
                group.cancelAll()
            }
        }
    }

    /// Goes on until no replay is running.
    private func workOff() async {
        while !Task.isCancelled {
            do {
                switch try await work() {
                case .progress: continue
                case .waiting: try await Task.sleep(for: .milliseconds(Self.pause))
                case .idle: return
                }
            } catch {
                guard !Task.isCancelled else {
                    return
                }
                logger.warning("a replay is tried again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Takes one replay that is due, and makes its next step.
    private func work() async throws -> Outcome {
        guard let replay = try await repository.takeDue(seconds: Self.hold, deadline: .now + .seconds(5)) else {
            return .idle
        }
        do {
            return try await goOn(replay)
        } catch {
            // Anybody may try again soon; where this fails, too, when the hold has ended.
            try? await repository.postpone(replay.id, milliseconds: 1_000, deadline: .now + .seconds(2))
            throw error
        }
    }

    private func goOn(_ replay: Replay) async throws -> Outcome {
        var replay = replay
        let now = try await settledTime()
        if case .verify(let page) = ReplayStep(replay, at: now, settling: settling) {
            guard try await hasBegun(page, replay) else {
                return try await wait(replay)
            }
            replay.page = []
        }
        switch ReplayStep(replay, at: now, settling: settling) {
        case .read(let after, let through):
            try await read(replay, after: after, through: through)
            return .progress
        case .verify, .wait:
            return try await wait(replay)
        case .end:
            try await end(replay, as: .succeeded)
            return .progress
        }
    }

    /// Before which time no transaction has begun that is still open, in Unix milliseconds.
    private func settledTime() async throws -> UInt64 {
        let now = Timestamp.now()
        let oldest = try await repository.oldestTransaction(deadline: .now + .seconds(5)) ?? now
        return UInt64(clamping: min(now.microseconds, oldest.microseconds) / 1_000)
    }

    private func wait(_ replay: Replay) async throws -> Outcome {
        try await repository.postpone(replay.id, milliseconds: Self.pause / 2, deadline: .now + .seconds(5))
        return .waiting
    }

    private func read(_ replay: Replay, after: UUID, through: UUID) async throws {
        let criterion: ReplayCriterion
        do {
            guard let readable = try replay.criterion() else {
                return try await end(replay, as: .failed, failure: "The automation's trigger cannot be read.")
            }
            criterion = readable
        } catch {
            return try await end(replay, as: .failed, failure: "This release cannot read the automation's filter.")
        }
        let (candidates, isWhole) = try await repository.candidates(
            for: replay,
            after: after,
            through: through,
            trigger: criterion.trigger,
            deadline: .now + .seconds(30)
        )
        let page = ReplayPage(candidates, isWhole: isWhole, end: through, criterion: criterion)
        if !page.unreadable.isEmpty {
            logger.error(
                "signals cannot be read, and are not replayed",
                metadata: [
                    "replay_id": "\(replay.id.lowercased)",
                    "signal_ids": "\(page.unreadable.map(\.lowercased).joined(separator: ", "))",
                ]
            )
        }
        do {
            try await commit(page, of: replay)
        } catch let error as PostgresError where BatchConsumer.FailureKind(of: error) == .data {
            logger.error(
                "a replay has failed",
                metadata: ["replay_id": "\(replay.id.lowercased)", "error": "\(error)"]
            )
            try await end(replay, as: .failed, failure: "The database refused a page of signals.")
        }
    }

    /// Sends a page, and moves the replay on by it; nothing where somebody else has done so.
    func commit(_ page: ReplayPage, of replay: Replay) async throws {
        let now = Timestamp.now()
        let reruns = replay.isDryRun ? [] : page.matches.map { RerunSignal.make($0, for: replay, at: now) }
        try await lanes.transaction { lane in
            let moved = try await lane.database.execute(
                ReplayRepository.advance(replay, by: page, sent: reruns.map(\.signalID))
            )
            guard moved.first != nil, !reruns.isEmpty else {
                return
            }
            let taken = try await lane.database.execute(SignalRepository.takeKeys(reruns))
            guard taken.count == reruns.count else {
                throw PostgresError(.decoding, "the key of a fresh signal was taken")
            }
            lane.enqueue([SignalRepository.store(reruns, epoch: lane.epoch)])
            for (type, signals) in Dictionary(grouping: reruns, by: \.type) {
                lane.publish(
                    signals: signals.map {
                        AcceptedSignal(id: $0.signalID, event: $0.event, traceparent: $0.traceparent)
                    },
                    tenant: replay.tenant,
                    type: type,
                    schemaVersion: SignalsAcceptedV2.version
                )
            }
        }
    }

    private func end(_ replay: Replay, as status: Replay.Status, failure: String? = nil) async throws {
        try await lanes.change { transaction in
            let statement = ReplayRepository.end(replay.id, of: replay.tenant, as: status, failure: failure)
            guard let row = try await transaction.execute(statement).first else {
                return .none(())
            }
            let ended = try Replay(row)
            return .made((), try ended.endEntry("replay.end", by: AuditActor(type: .system, id: "api-gateway")))
        }
    }

    /// Whether the engine has processed or put away every signal of a page, and none of their runs waits in its queue.
    private func hasBegun(_ page: [UUID], _ replay: Replay) async throws -> Bool {
        let body: JSONValue = ["signal_ids": .array(page.map { .string($0.lowercased) }), "begun": true]
        let reply = try await requests.call(
            service: ServiceName.engine.rawValue,
            type: RequestType.engineSignalsLacking,
            body: try body.canonicalBytes(),
            context: RequestContext(
                tenant: replay.tenant.key,
                actor: AuditActor(type: .system, id: "api-gateway"),
                requestID: UUIDv7.make().lowercased,
                traceparent: replay.traceparent
            ),
            deadline: .now + .seconds(5)
        )
        if let problem = reply.problem {
            throw problem
        }
        return try JSONDocument(parsing: reply.body).root["lacking"]?.count == 0
    }
}
