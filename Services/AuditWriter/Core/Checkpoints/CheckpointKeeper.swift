import Checkpoints
package import Logging
import MerkleLog
package import Persistence
package import ServiceBase
import ServiceLifecycle
import Synchronization

/// Has the log signed in time, and keeps what other replicas have signed.
///
/// The replica that has the head signs: soon after something was appended, and now and then while nothing is. The others
/// look once a second; each puts what it sees into its own journal after it has verified that it continues what is there.
/// One of them signs where nobody does, which costs the writer that has the head no more than taking it again.
package struct CheckpointKeeper: Service {
    /// When the log is signed.
    package struct Schedule: Sendable {
        /// The least time between two checkpoints of a log that grows.
        package var interval: Duration
        /// How long a log that does not grow goes without a new signature.
        package var idle: Duration
        /// How often a replica looks whether others have signed.
        package var watch: Duration
        /// How long entries wait for the signature of the replica that has the head before another one signs.
        package var grace: Duration

        package init(
            interval: Duration = .milliseconds(500),
            idle: Duration = .seconds(600),
            watch: Duration = .seconds(1),
            grace: Duration = .seconds(3)
        ) {
            self.interval = interval
            self.idle = idle
            self.watch = watch
            self.grace = grace
        }
    }

    private let appender: LogAppender
    private let authority: CheckpointAuthority
    private let repository: CheckpointRepository
    private let tree: LogTree
    private let unsigned: Alarm
    private let schedule: Schedule
    private let metrics: LogMetrics
    private let watch: LogWatch
    private let logger: Logger
    private let finding = FoundProblem()

    /// - Parameters:
    ///   - appender: Signs, and rings `unsigned` where there is something to sign.
    ///   - authority: The keys and the journal.
    ///   - database: Logged in as the service.
    ///   - unsigned: Rung by the appender.
    ///   - schedule: When the log is signed.
    ///   - metrics: What is counted.
    ///   - watch: Told how much is unsigned.
    ///   - logger: Told what goes wrong.
    package init(
        appender: LogAppender,
        authority: CheckpointAuthority,
        database: PostgresClient,
        unsigned: Alarm,
        schedule: Schedule = Schedule(),
        metrics: LogMetrics = LogMetrics(),
        watch: LogWatch = LogWatch(),
        logger: Logger
    ) {
        self.appender = appender
        self.authority = authority
        repository = CheckpointRepository(database: database)
        tree = LogTree(database: database, logger: logger)
        self.unsigned = unsigned
        self.schedule = schedule
        self.metrics = metrics
        self.watch = watch
        self.logger = logger
    }

    /// Why the log cannot be signed, or not even appended to; nil while it can.
    package var problem: String? {
        get async {
            if let refusal = await appender.refusal {
                return refusal
            }
            if let missing = await appender.missing {
                return missing.sentence
            }
            return finding.withLock { $0 }
        }
    }

    /// Signs and watches until the service drains, and then signs what is left.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var turn = Turn()
            while !Task.isCancelled {
                let pause = await take(&turn)
                await unsigned.sleep(for: pause)
            }
        }
        _ = try? await appender.sign()
    }

    /// What one turn leaves to the next.
    private struct Turn {
        /// When this replica has signed last, or tried to.
        var lastSigned: ContinuousClock.Instant?
        /// Since when the log has had entries that nobody has signed, and how many were signed then.
        var stalled: (since: ContinuousClock.Instant, signedSize: Int64)?
    }

    /// Signs or watches; says how long to sleep.
    private func take(_ turn: inout Turn) async -> Duration {
        await appender.lookForMissingWeeks()
        do {
            if let standing = await appender.standing, standing.isUnsigned {
                let rest = turn.lastSigned.map { $0 + schedule.interval - .now } ?? .zero
                guard rest <= .zero else {
                    return rest
                }
                try await sign(&turn)
                settle(nil)
            } else if try await watch(&turn) {
                settle(nil)
            }
        } catch {
            settle(error)
        }
        return schedule.watch
    }

    private func sign(_ turn: inout Turn, takingOver: Bool = false) async throws {
        let started = ContinuousClock.now
        // Set before, so that what fails is not tried again at once.
        turn.lastSigned = started
        turn.stalled = nil
        if let signed = try await appender.sign(takingOver: takingOver) {
            metrics.signed(signed.checkpoint.size, took: .now - started)
        }
    }

    /// Keeps what others have signed, and signs where nobody does; says whether everything is signed.
    private func watch(_ turn: inout Turn) async throws -> Bool {
        let outlook = try await repository.outlook(deadline: .now + .seconds(10))
        watch.looked(size: outlook.head.size, signedSize: outlook.head.signedSize)
        let standing = await appender.standing
        if let standing, standing.fence < outlook.head.fence {
            await appender.forget()
        }
        try await keep(outlook)
        let signedSize = outlook.head.signedSize
        guard outlook.head.size > signedSize else {
            turn.stalled = nil
            let limit = standing == nil ? schedule.idle + schedule.grace : schedule.idle
            if outlook.newest != nil, isDue(outlook.age, limit, turn.lastSigned) {
                try await sign(&turn, takingOver: true)
            }
            return true
        }
        guard let stalled = turn.stalled, stalled.signedSize == signedSize else {
            turn.stalled = (.now, signedSize)
            return false
        }
        guard .now - stalled.since >= schedule.grace else {
            return false
        }
        try await sign(&turn, takingOver: true)
        return true
    }

    /// Whether a log that does not grow is to be signed again.
    ///
    /// A checkpoint of a time to come says that the database's clock has gone back: then this replica's own pauses count.
    private func isDue(_ age: Duration, _ limit: Duration, _ lastSigned: ContinuousClock.Instant?) -> Bool {
        guard age < .zero else {
            return age >= limit
        }
        return lastSigned.map { .now - $0 >= limit } ?? true
    }

    /// Puts the newest checkpoint into the journal, after it was verified that it continues what is there.
    private func keep(_ outlook: CheckpointRepository.Outlook) async throws {
        let known = authority.journal.newest?.checkpoint
        guard let newest = outlook.newest, newest.checkpoint.size > known?.size ?? 0 else {
            // What is known must still be there, also while nothing is new. It may be newer than what the database holds,
            // where a commit after the journal's write has failed; the next checkpoint covers it.
            if outlook.newest?.checkpoint != known {
                try await requireSequel(outlook.head)
            }
            return
        }
        try await requireSequel(outlook.head)
        try authority.requireOwnSignature(newest)
        let size = newest.checkpoint.size
        let root = try await tree.root(of: size, in: UInt64(clamping: outlook.head.size), deadline: .now + .seconds(10))
        guard root == newest.checkpoint.root else {
            throw AuditWriterError(.forkedLog, "The newest checkpoint in the database is not one of the entries in it.")
        }
        try await authority.journal.append(newest)
    }

    private func requireSequel(_ head: LogHead) async throws {
        try await authority.requireSequel(head) { size in
            try await tree.root(of: size, in: UInt64(clamping: head.size), deadline: .now + .seconds(10))
        }
    }

    /// Notes what keeps the log from being signed, and says so once.
    private func settle(_ error: (any Error)?) {
        let sentence = error.map { "\($0)" }
        let before = finding.withLock { found in
            defer { found = sentence }
            return found
        }
        guard sentence != before else {
            return
        }
        if let sentence {
            logger.error("the log cannot be signed", metadata: ["error": "\(sentence)"])
        } else {
            logger.notice("the log can be signed again")
        }
    }
}

/// What keeps the log from being signed, shared between the loop and those who ask.
private final class FoundProblem: Sendable {
    private let sentence = Mutex<String?>(nil)

    func withLock<Value: Sendable>(_ body: (inout sending String?) -> sending Value) -> Value {
        sentence.withLock(body)
    }
}
