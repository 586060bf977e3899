package import Checkpoints
import Contracts
import FaultInjection
import FoundationEssentials
package import Logging
import MerkleLog
import Messaging
package import Persistence
package import ServiceBase

/// Appends entries to the log: each exactly once, in the order of its lane, whatever is delivered again.
///
/// What it knows of the log stands in memory as long as no other writer has taken the head. It is given up before every
/// transaction and taken back after the commit, so that whatever goes wrong in between makes it be read again, under a
/// new fence.
package actor LogAppender {
    /// What became of the entries of one call.
    package struct Outcome: Sendable, Equatable {
        /// How many were appended, those that had been held before among them.
        package var appended = 0
        package var duplicates = 0
        /// How many are held from now on.
        package var held = 0
    }

    private struct State {
        var head: LogHead
        var edge: TreeEdge
        /// How many entries are held before their turn, in all lanes.
        var held: Int64
        var lanes: [LaneName: LaneSequencer] = [:]
        /// Lanes whose held entries a writer before may have left although it was their turn.
        var abandoned: [LaneName] = []
    }

    /// How many lanes are known at once; idle ones are forgotten with the others, and read again when they speak.
    private static let maximumLanes = 10_000
    /// How often the head is taken again within one call.
    private static let maximumTakeovers = 5

    private let repository: LogRepository
    private let tree: LogTree
    private let authority: CheckpointAuthority?
    private let database: PostgresClient
    private let metrics: LogMetrics
    private let watch: LogWatch
    private let logger: Logger
    private let releaseLimit: Int
    private let timeout: Duration
    private var state: State?
    /// Where the log stood at the end of the last call, as this process knows it; nil unless it has the head.
    package private(set) var standing: LogStanding?
    /// Why the head could not be taken the last time; nil where it could.
    package private(set) var refusal: String?
    /// The partitions without which entries cannot be appended; nil where none is missing.
    private(set) var missing: MissingWeeks?
    /// Rung at the end of each call that leaves entries unsigned.
    private let unsigned: Alarm?
    /// Whether a call is under way, and those that wait for its end in the order of their coming.
    private var isAppending = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameters:
    ///   - database: Logged in as the service.
    ///   - authority: What the log was signed with; nothing is appended to a log that contradicts it.
    ///   - unsigned: Rung at the end of each call that leaves entries unsigned.
    ///   - metrics: What is counted.
    ///   - watch: Told how much is unsigned and held.
    ///   - logger: Told when the head is taken.
    ///   - releaseLimit: How many held entries one transaction may append.
    ///   - timeout: How long one transaction may take.
    package init(
        database: PostgresClient,
        authority: CheckpointAuthority? = nil,
        unsigned: Alarm? = nil,
        metrics: LogMetrics = LogMetrics(),
        watch: LogWatch = LogWatch(),
        logger: Logger,
        releaseLimit: Int = 2_000,
        timeout: Duration = .seconds(30)
    ) {
        self.database = database
        repository = LogRepository(database: database)
        tree = LogTree(database: database, logger: logger)
        self.authority = authority
        self.unsigned = unsigned
        self.metrics = metrics
        self.watch = watch
        self.logger = logger
        self.releaseLimit = releaseLimit
        self.timeout = timeout
    }

    /// Appends what is new of messages, and what is held and has its turn through them.
    ///
    /// Held entries that the log refuses stop their own lane where they stand: the messages before them are appended, and
    /// those after them held.
    ///
    /// - Throws: `PostgresError` or `AuditWriterError`; nothing of the call that failed was appended, unless the outcome
    ///   of a commit was lost. Calling again with the same messages is always right.
    package func append(_ messages: [EntryMessage]) async throws -> Outcome {
        await beginAppending()
        defer { endAppending() }
        var outcome = Outcome()
        var due = Set(try await appendFirst(messages, &outcome))
        var refused: Set<LaneName> = []
        while let lane = due.subtracting(refused).first {
            due.remove(lane)
            do {
                due.formUnion(try await appendOnce([], resuming: [lane], releasing: releaseLimit, &outcome))
            } catch  where LogIntake.classify(error) == .data {
                refused.insert(lane)
                logger.error(
                    "held entries cannot be appended",
                    metadata: ["producer": "\(lane.producer)", "epoch": "\(lane.epoch)", "error": "\(error)"]
                )
            }
        }
        return outcome
    }

    /// Waits for the calls before, which would otherwise lose the head to this one and take it back.
    private func beginAppending() async {
        guard isAppending else {
            isAppending = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Notes where the log stands, and hands the turn over to the next call, if there is one.
    private func endAppending() {
        standing = state.map { LogStanding(fence: $0.head.fence, size: $0.head.size, signedSize: $0.head.signedSize) }
        if let standing {
            watch.looked(size: standing.size, signedSize: standing.signedSize)
        }
        if standing?.isUnsigned ?? false {
            unsigned?.ring()
        }
        guard waiting.isEmpty else {
            return waiting.removeFirst().resume()
        }
        isAppending = false
    }

    /// Appends messages with the held entries that follow on them, or without these where the log refuses both together.
    private func appendFirst(_ messages: [EntryMessage], _ outcome: inout Outcome) async throws -> [LaneName] {
        do {
            return try await appendOnce(messages, resuming: [], releasing: releaseLimit, &outcome)
        } catch  where LogIntake.classify(error) == .data {
            // No message is to blame for what was held behind it; one that is refused by itself is refused again.
            return try await appendOnce(messages, resuming: [], releasing: nil, &outcome)
        }
    }

    /// One transaction, repeated while other writers take the head.
    private func appendOnce(
        _ messages: [EntryMessage],
        resuming: [LaneName],
        releasing limit: Int?,
        _ outcome: inout Outcome
    ) async throws -> [LaneName] {
        var hasMadeWeeks = false
        for _ in 0..<Self.maximumTakeovers {
            do {
                return try await commit(messages, resuming: resuming, releasing: limit, &outcome)
            } catch let error as PostgresError where error.sqlState == GuardState.headTakenOver {
                logger.notice("another writer had taken the head of the log; it is taken again")
            } catch let error as UnplacedEntries {
                guard !hasMadeWeeks else {
                    throw try await miss(error.ids, "a table of that name is there, and is no partition")
                }
                hasMadeWeeks = true
                try await makeWeeks(of: error.ids)
            }
        }
        throw AuditWriterError(.headTakenOver, "other writers took the head of the log again and again")
    }

    private func commit(
        _ messages: [EntryMessage],
        resuming: [LaneName],
        releasing limit: Int?,
        _ outcome: inout Outcome
    ) async throws -> [LaneName] {
        let started = ContinuousClock.now
        let deadline = started + timeout
        var state = try await takeState(deadline)
        let abandoned = state.abandoned
        state.abandoned = []
        try await learn(messages.map(\.lane) + resuming, &state, deadline)
        let plan = AppendPlan(messages, resuming: resuming, lanes: &state.lanes, releaseLimit: limit)
        if !plan.held.isEmpty {
            try await judgeWeeks(of: plan.held)
        }
        if !plan.isEmpty {
            try await write(plan, &state, deadline)
        }
        self.state = state
        outcome.appended += plan.appendedCount
        outcome.duplicates += plan.duplicates
        outcome.held += plan.held.count
        watch.holds(state.held)
        metrics.committed(plan, size: state.head.size, took: .now - started)
        return plan.unfinished + abandoned
    }

    /// Takes what is known out of the actor, so that it is lost if this call fails; else takes the head.
    private func takeState(_ deadline: ContinuousClock.Instant) async throws -> State {
        if var known = state.take() {
            if known.lanes.count > Self.maximumLanes { known.lanes = [:] }
            return known
        }
        do {
            let taken = try await takeHead(deadline)
            refusal = nil
            return taken
        } catch {
            refusal = (error as? AuditWriterError).flatMap { $0.stopsTheLog ? $0.message : nil }
            throw error
        }
    }

    private func takeHead(_ deadline: ContinuousClock.Instant) async throws -> State {
        let head = try await repository.takeHead(deadline: deadline)
        logger.info("took the head of the log", metadata: ["fence": "\(head.fence)", "size": "\(head.size)"])
        let edge = try await tree.edge(of: head) { .now + timeout }
        try await requireSequel(head)
        let early = try await repository.lanesWithEarlyEntries(deadline: .now + timeout)
        let held = early.reduce(0) { $0 + $1.count }
        watch.holds(held)
        return State(head: head, edge: edge, held: held, abandoned: early.map(\.lane))
    }

    /// Refuses a log that is not a sequel of what was signed.
    private func requireSequel(_ head: LogHead) async throws {
        guard let authority else {
            return
        }
        try await authority.requireSequel(head) { size in
            try await tree.root(of: size, in: UInt64(clamping: head.size), deadline: .now + timeout)
        }
        let outlook = try await CheckpointRepository(database: database).outlook(deadline: .now + timeout)
        try authority.requireOwnSignature(outlook.newest)
    }

    /// Reads the lanes that are not known yet.
    private func learn(_ lanes: [LaneName], _ state: inout State, _ deadline: ContinuousClock.Instant) async throws {
        let unknown = Set(lanes).filter { state.lanes[$0] == nil }
        guard !unknown.isEmpty else {
            return
        }
        let read = try await repository.sequencers(of: Array(unknown), deadline: deadline)
        state.lanes.merge(read) { $1 }
    }

    /// The transaction: two round trips, and one more where held entries are released.
    private func write(_ plan: AppendPlan, _ state: inout State, _ deadline: ContinuousClock.Instant) async throws {
        let head = state.head
        let edge = state.edge
        state.edge = try await database.withTransaction(deadline: deadline) { transaction in
            var edge = edge
            var statements = [LogRepository.lockHead(head)]
            var released: [LaneName: [Int64: AuditEntry]] = [:]
            var ids: [UUID] = []
            if plan.runs.contains(where: { !$0.released.isEmpty }) {
                let results = try await transaction.pipeline(statements + [LogRepository.release(plan.runs)])
                statements = []
                released = try Self.entries(results[1])
            }
            if !plan.runs.isEmpty {
                let entries = try plan.entries(released: released)
                let hashes = entries.map { MerkleHash.leaf($0.canonical) }
                let filled = edge.append(contentsOf: hashes)
                statements.append(LogRepository.append(entries, hashes, at: head.size))
                if !filled.isEmpty {
                    statements.append(TileRepository.store(filled))
                }
                statements.append(LogRepository.record(plan.runs, at: head.size))
                ids = entries.map(\.id)
            }
            if !plan.held.isEmpty {
                statements.append(LogRepository.hold(plan.held))
            }
            do {
                try await transaction.pipeline(statements)
            } catch let error as PostgresError where error.isMissingPartition {
                throw UnplacedEntries(ids)
            }
            CrashPoints.reached(.inAuditAppend)
            try await transaction.commit([LogRepository.moveHead(to: head.size + Int64(plan.appendedCount))])
            return edge
        }
        state.head.size += Int64(plan.appendedCount)
        state.held += Int64(plan.held.count - plan.releasedCount)
    }

    // MARK: - Weeks

    /// Makes the partitions that entries need.
    ///
    /// - Throws: `PostgresError` where an entry's id is of an impossible time, which lies in the data; `AuditWriterError`
    ///   where a partition is missing and cannot be made.
    private func makeWeeks(of ids: [UUID]) async throws {
        do {
            try await repository.makeWeeks(of: ids, deadline: .now + timeout)
        } catch let error as PostgresError where error.sqlState != Self.impossibleWeek {
            throw try await miss(ids, error.message)
        }
        note(nil)
    }

    /// Refuses entries of impossible weeks when they come, and not only when they have their turn.
    ///
    /// - Throws: `PostgresError`, which lies in the data. A week that cannot be made is no matter until then.
    private func judgeWeeks(of entries: [AuditEntry]) async throws {
        do {
            try await repository.ensureWeeks(of: UnplacedEntries(entries.map(\.id)).ids, deadline: .now + timeout)
        } catch let error as PostgresError where error.sqlState != Self.impossibleWeek {
            logger.debug("the weeks of held entries are not made yet", metadata: ["error": "\(error.message)"])
        }
    }

    /// What `audit.ensure_weeks` refuses with.
    private static let impossibleWeek = "22023"

    /// Notes which partitions entries lack.
    private func miss(_ ids: [UUID], _ reason: String) async throws -> AuditWriterError {
        let weeks = try await repository.missingWeeks(of: ids, deadline: .now + timeout)
        let found = weeks.isEmpty ? nil : MissingWeeks(ids: ids, weeks: weeks, reason: reason)
        note(found)
        return AuditWriterError(.missingPartition, found?.sentence ?? reason)
    }

    private func note(_ found: MissingWeeks?) {
        if let found, found != missing {
            logger.error("entries cannot be appended", metadata: ["error": "\(found.sentence)"])
        } else if found == nil, missing != nil {
            logger.notice("entries can be appended again")
        }
        missing = found
        metrics.missing(weeks: found?.weeks.count ?? 0)
    }

    /// Makes again what was missing, whether or not its entries come again to this replica.
    func lookForMissingWeeks() async {
        guard let missing else {
            return
        }
        do {
            try await makeWeeks(of: missing.ids)
        } catch let error as PostgresError where error.sqlState == Self.impossibleWeek {
            note(nil)
        } catch {
            // It is noted, or nothing could be learnt.
        }
    }

    // MARK: - Signing

    /// Gives up what is known, since another writer has taken the head.
    package func forget() async {
        await beginAppending()
        defer { endAppending() }
        state = nil
        watch.holds(0)
    }

    /// Signs the log as it stands.
    ///
    /// The checkpoint is made under the head's lock, and durable in the journal before it is committed or leaves.
    ///
    /// - Parameter takingOver: Whether the head is taken where this process does not have it.
    /// - Returns: The checkpoint; nil where there is nothing to sign, or another writer has the head.
    /// - Throws: `AuditWriterError`, `CheckpointError` or `PostgresError`; then no checkpoint has left, though the journal
    ///   may hold it.
    package func sign(takingOver: Bool = false) async throws -> SignedCheckpoint? {
        await beginAppending()
        defer { endAppending() }
        guard let authority, takingOver || state != nil else {
            return nil
        }
        do {
            var state = try await takeState(.now + timeout)
            guard state.head.size > 0 else {
                self.state = state
                return nil
            }
            let signed = try authority.sign(size: UInt64(clamping: state.head.size), root: state.edge.root)
            try await database.withTransaction(deadline: .now + timeout) { [head = state.head] transaction in
                try await transaction.pipeline([LogRepository.lockHead(head)])
                CrashPoints.reached(.beforeCheckpointIsKept)
                try await authority.journal.append(signed)
                CrashPoints.reached(.afterCheckpointIsKept)
                try await transaction.commit(CheckpointRepository.insert(signed))
            }
            state.head.origin = authority.origin
            state.head.signedSize = state.head.size
            state.head.signedRoot = signed.checkpoint.root
            self.state = state
            return signed
        } catch let error as PostgresError where error.sqlState == GuardState.headTakenOver {
            watch.holds(0)
            return nil
        }
    }

    private static func entries(_ rows: PostgresRows) throws -> [LaneName: [Int64: AuditEntry]] {
        var entries: [LaneName: [Int64: AuditEntry]] = [:]
        for row in rows {
            let entry = try AuditEntry(canonical: try row.decode(3))
            entries[try LogRepository.lane(row), default: [:]][try row.decode(2)] = entry
        }
        return entries
    }
}

extension AppendPlan {
    /// The entries to append, in order.
    ///
    /// - Throws: `AuditWriterError` with code `staleState` where one that should be held is not.
    fileprivate func entries(released: [LaneName: [Int64: AuditEntry]]) throws(AuditWriterError) -> [AuditEntry] {
        var entries: [AuditEntry] = []
        entries.reserveCapacity(appendedCount)
        for run in runs {
            let held = released[run.lane]
            for number in run.numbers {
                // What is held arrived first; a later copy is a duplicate of it.
                guard let entry = held?[number] ?? entry(number, of: run.lane) else {
                    throw AuditWriterError(.staleState, "an entry that was held is no longer there")
                }
                entries.append(entry)
            }
        }
        return entries
    }
}
