import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// The SQL of replays.
struct ReplayRepository: Sendable {
    let database: PostgresClient

    /// How many signals are looked at in one go, and how long their events may be together, in bytes.
    static let portion = 1_000
    static let portionBytes = 4 << 20

    // MARK: Reading

    /// One replay of a tenant.
    func replay(_ id: UUID, of tenant: Tenant, deadline: ContinuousClock.Instant) async throws -> Replay? {
        let statement = PostgresStatement(
            "SELECT \(Replay.columns) FROM gateway.replays WHERE replay_id = $1 AND tenant = $2",
            [.uuid(id), .text(tenant.key)],
            isReadOnly: true
        )
        return try await database.execute(statement, deadline: deadline).first.map { try Replay($0) }
    }

    /// A page of a tenant's replays, newest first, those before a given one.
    func page(
        of tenant: Tenant,
        before id: UUID?,
        count: Int,
        deadline: ContinuousClock.Instant
    ) async throws -> [Replay] {
        let statement = PostgresStatement(
            """
            SELECT \(Replay.columns) FROM gateway.replays
            WHERE tenant = $1 AND ($2::uuid IS NULL OR replay_id < $2) ORDER BY replay_id DESC LIMIT $3
            """,
            [.text(tenant.key), .uuid(id), .int(count)],
            isReadOnly: true
        )
        return try await database.execute(statement, deadline: deadline).map { try Replay($0) }
    }

    /// The next signals that a replay considers, in the order of their ids, and whether there are no more.
    ///
    /// An exact type has an index of its own. Of a family's every signal of the tenant is passed by, so their number is
    /// bounded before the type is looked at; events are read only as far as they fit in memory.
    func candidates(
        for replay: Replay,
        after: UUID,
        through: UUID,
        trigger: SignalTrigger,
        deadline: ContinuousClock.Instant
    ) async throws -> (candidates: [ReplayCandidate], isWhole: Bool) {
        var values: [PostgresValue] = [
            .text(replay.tenant.key), .uuid(after), .uuid(through), .int(Self.portion), .int(Self.portionBytes),
        ]
        let wanted: String
        let condition: String
        switch trigger {
        case .exact(let type):
            values.append(.text(type))
            wanted = "true"
            condition = #"AND type COLLATE "C" = $6"#
        case .family(let prefix):
            values.append(.text(prefix + "."))
            wanted = "starts_with(type, $6)"
            condition = ""
        }
        let statement = PostgresStatement(
            """
            WITH portion AS (
                SELECT signal_id, type, CASE WHEN \(wanted) THEN event END AS event FROM gateway.signals
                WHERE tenant = $1 AND signal_id > $2 AND signal_id <= $3 \(condition)
                ORDER BY signal_id LIMIT $4
            ), measured AS (
                SELECT *, sum(coalesce(octet_length(event), 0)) OVER (ORDER BY signal_id) AS bytes,
                       count(*) OVER () AS total
                FROM portion
            )
            SELECT signal_id, type, event, total FROM measured
            -- The first one always, however long it is.
            WHERE bytes - coalesce(octet_length(event), 0) < $5 ORDER BY signal_id
            """,
            values,
            isReadOnly: true
        )
        let rows = try await database.execute(statement, deadline: deadline)
        let total = try rows.first.map { try $0.decode(3, as: Int.self) } ?? 0
        let candidates = try rows.map { row in
            ReplayCandidate(
                signalID: try row.decode(0),
                type: try row.decode(1),
                event: try row.decode(2, as: [UInt8]?.self)
            )
        }
        return (candidates, candidates.count == total && total < Self.portion)
    }

    /// When the oldest transaction of the gateways that is still open has begun; nil where there is none.
    ///
    /// What such a transaction has stored can be seen when it ends, however long that takes: while the disk stalls, or
    /// the standby is away. To be asked before signals are read, so that none that ends in between is missed.
    func oldestTransaction(deadline: ContinuousClock.Instant) async throws -> Timestamp? {
        let statement = PostgresStatement(
            """
            SELECT min(xact_start) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = session_user AND pid <> pg_backend_pid()
            """,
            isReadOnly: true
        )
        let row = try await database.execute(statement, deadline: deadline).first
        let began = try row?.decode(0, as: PostgresTimestamp?.self)
        return began.map { Timestamp(microseconds: $0.microsecondsSinceEpoch) }
    }

    /// How many signals of the automation's type a replay's span has.
    ///
    /// - Parameters:
    ///   - replay: The replay.
    ///   - trigger: What its automation is on.
    ///   - limit: Where counting ends.
    ///   - deadline: When to give up.
    /// - Returns: The number, or the limit where there are more.
    /// - Throws: `PostgresError`.
    func count(
        for replay: Replay,
        trigger: SignalTrigger,
        limit: Int,
        deadline: ContinuousClock.Instant
    ) async throws -> Int {
        let bounds: (String, [PostgresValue]) =
            switch trigger {
            case .exact(let type): (#"type COLLATE "C" = $5"#, [.text(type)])
            // The full stop is followed by the slash in this order.
            case .family(let prefix):
                (#"type COLLATE "C" >= $5 AND type COLLATE "C" < $6"#, [.text(prefix + "."), .text(prefix + "/")])
            }
        let statement = PostgresStatement(
            """
            SELECT count(*) FROM (
                SELECT FROM gateway.signals
                WHERE tenant = $1 AND signal_id > $2 AND signal_id <= $3 AND \(bounds.0) LIMIT $4
            ) AS counted
            """,
            [
                .text(replay.tenant.key), .uuid(replay.span.start), .uuid(replay.span.end), .int(limit),
            ] + bounds.1,
            isReadOnly: true
        )
        return try await database.execute(statement, deadline: deadline).first?.decode(0) ?? 0
    }

    // MARK: Who goes on

    /// Takes a running replay that is due; nobody else does for some seconds.
    ///
    /// It saves work twice done, and no more: what decides is that a step finds the row as it was read.
    func takeDue(seconds: Int, deadline: ContinuousClock.Instant) async throws -> Replay? {
        let statement = PostgresStatement(
            """
            UPDATE gateway.replays SET due_at = clock_timestamp() + make_interval(secs => $1)
            WHERE replay_id = (
                SELECT replay_id FROM gateway.replays WHERE status = 'running' AND due_at <= clock_timestamp()
                ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING \(Replay.columns)
            """,
            [.double(Double(seconds))]
        )
        return try await database.execute(statement, deadline: deadline).first.map { try Replay($0) }
    }

    /// Leaves a replay alone for a while.
    func postpone(_ id: UUID, milliseconds: Int, deadline: ContinuousClock.Instant) async throws {
        let statement = PostgresStatement(
            """
            UPDATE gateway.replays SET due_at = clock_timestamp() + make_interval(secs => $2)
            WHERE replay_id = $1 AND status = 'running'
            """,
            [.uuid(id), .double(Double(milliseconds) / 1_000)]
        )
        try await database.execute(statement, deadline: deadline)
    }
}

// MARK: - Statements of lane transactions

extension ReplayRepository {
    /// Counts a tenant's running replays, which no other transaction starts until this one has ended.
    ///
    /// The last answer is the number.
    static func running(of tenant: Tenant) -> [PostgresStatement] {
        [
            PostgresStatement(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 4))",
                [.text("gateway.replays\n\(tenant.key)")]
            ),
            PostgresStatement(
                "SELECT count(*) FROM gateway.replays WHERE tenant = $1 AND status = 'running'",
                [.text(tenant.key)]
            ),
        ]
    }

    static func insertion(_ replay: Replay) -> ChangeStatement {
        ChangeStatement(
            """
            INSERT INTO gateway.replays (replay_id, tenant, automation_id, automation_key, automation_version, signal_type,
                filter, from_time, until_time, dry_run, status, position, actor_type, actor_id, actor_via, traceparent,
                created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'running', $11, $12, $13, $14, $15, $16)
            """,
            [
                .uuid(replay.id), .text(replay.tenant.key), .uuid(replay.target.id), .text(replay.target.key),
                .int8(replay.target.version), .text(replay.target.signalType), .textBytes(replay.target.filter),
                .timestamp(microseconds: ReplaySpan.time(replay.span.from).microseconds),
                .timestamp(microseconds: ReplaySpan.time(replay.span.until).microseconds), .bool(replay.isDryRun),
                .uuid(replay.position), .text(replay.actor.type.rawValue), .text(replay.actor.id),
                .text(replay.actor.via), .text(replay.traceparent),
                .timestamp(microseconds: replay.createdAt.microseconds),
            ]
        )
    }

    /// Moves a replay on from where it was read; no row where it is somewhere else, or has ended.
    static func advance(_ replay: Replay, by page: ReplayPage, sent: [UUID]) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE gateway.replays SET position = $3, page = $4, considered = considered + $5, replayed = replayed + $6,
                due_at = clock_timestamp()
            WHERE replay_id = $1 AND status = 'running' AND position = $2
            RETURNING replay_id
            """,
            [
                .uuid(replay.id), .uuid(replay.position), .uuid(page.position), .uuidArray(sent),
                .int(page.considered), .int(page.matches.count),
            ]
        )
    }

    /// Ends a running replay; its row is the replay as it is then.
    ///
    /// There is no row where it has ended already.
    static func end(
        _ id: UUID,
        of tenant: Tenant,
        as status: Replay.Status,
        failure: String? = nil
    ) -> ChangeStatement {
        ChangeStatement(
            """
            UPDATE gateway.replays SET status = $3, failure = $4, finished_at = clock_timestamp(), page = '{}'
            WHERE replay_id = $1 AND tenant = $2 AND status = 'running'
            RETURNING \(Replay.columns)
            """,
            [.uuid(id), .text(tenant.key), .text(status.rawValue), .text(failure)]
        )
    }
}
