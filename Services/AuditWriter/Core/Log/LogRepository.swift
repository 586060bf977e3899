import Contracts
import Domain
import FoundationEssentials
import MerkleLog
import Persistence

/// The end of the log as the active writer knows it.
struct LogHead: Sendable, Equatable {
    /// Moves on with each writer that takes over.
    var fence: Int64
    /// How many entries the log has; the index of the next one.
    var size: Int64
    /// The name of the log; nil until it is signed for the first time.
    var origin: String?
    /// How many entries the newest checkpoint covers; 0 without one.
    var signedSize: Int64
    /// The root in the newest checkpoint.
    var signedRoot: MerkleHash?

    static let columns = "fence, size, origin, signed_size, signed_root"

    /// Reads `columns`.
    init(_ row: PostgresRow) throws {
        fence = try row.decode(0)
        size = try row.decode(1)
        origin = try row.decode(2)
        signedSize = try row.decode(3)
        signedRoot = try row.decode(4, as: [UInt8]?.self).flatMap { MerkleHash($0) }
    }
}

/// The SQL of the log.
struct LogRepository: Sendable {
    let database: PostgresClient

    /// Takes the head over: no transaction of a writer before can commit afterwards.
    func takeHead(deadline: ContinuousClock.Instant) async throws -> LogHead {
        let rows = try await database.execute(
            PostgresStatement("UPDATE audit.head SET fence = fence + 1 RETURNING \(LogHead.columns)"),
            deadline: deadline
        )
        guard let row = rows.first else {
            throw AuditWriterError(.staleState, "audit.head has no row")
        }
        return try LogHead(row)
    }

    /// The name of the log; nil if it was never signed.
    func origin() async throws -> String? {
        let rows = try await database.execute(
            PostgresStatement("SELECT origin FROM audit.head", isReadOnly: true),
            deadline: .now + .seconds(30)
        )
        return try rows.first?.decode(0)
    }

    /// Lanes of which entries are held, and how many.
    func lanesWithEarlyEntries(
        deadline: ContinuousClock.Instant
    ) async throws -> [(lane: LaneName, count: Int64)] {
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT producer, epoch, count(*) FROM audit.early_entries GROUP BY producer, epoch ORDER BY 1, 2",
                isReadOnly: true
            ),
            deadline: deadline
        )
        return try rows.map { (try Self.lane($0), try $0.decode(2)) }
    }

    /// Reads how far lanes have come.
    ///
    /// Only what is read after the head was taken holds until it is taken again.
    func sequencers(
        of lanes: [LaneName],
        deadline: ContinuousClock.Instant
    ) async throws -> [LaneName: LaneSequencer] {
        let names: [PostgresValue] = [.textArray(lanes.map(\.producer)), .int8Array(lanes.map(\.epoch))]
        let results = try await database.pipeline(
            [
                // First those held: what moves into the log in between is then seen twice rather than never.
                PostgresStatement(
                    """
                    SELECT e.producer, e.epoch, e.seq
                    FROM unnest($1::text[], $2::bigint[]) AS lane (producer, epoch)
                    JOIN audit.early_entries e USING (producer, epoch)
                    """,
                    names,
                    isReadOnly: true
                ),
                PostgresStatement(
                    """
                    SELECT lane.producer, lane.epoch, coalesce((
                        SELECT s.last_seq FROM audit.segments s
                        WHERE s.producer = lane.producer AND s.epoch = lane.epoch
                        ORDER BY s.last_seq DESC LIMIT 1
                    ), 0)
                    FROM unnest($1::text[], $2::bigint[]) AS lane (producer, epoch)
                    """,
                    names,
                    isReadOnly: true
                ),
            ],
            deadline: deadline
        )
        var early: [LaneName: RangeSet<Int64>] = [:]
        for row in results[0] {
            let number: Int64 = try row.decode(2)
            early[try Self.lane(row), default: RangeSet()].insert(contentsOf: number..<number + 1)
        }
        var sequencers: [LaneName: LaneSequencer] = [:]
        for row in results[1] {
            let lane = try Self.lane(row)
            sequencers[lane] = LaneSequencer(last: try row.decode(2), early: early[lane] ?? RangeSet())
        }
        return sequencers
    }

    /// Makes the partitions of now, and of the weeks of entries' ids.
    func makeWeeks(of ids: [UUID], deadline: ContinuousClock.Instant) async throws {
        try await database.execute(PostgresStatement("SELECT audit.ensure_partitions()"), deadline: deadline)
        try await ensureWeeks(of: ids, deadline: deadline)
    }

    /// Makes the partitions of the weeks of entries' ids; refuses weeks of another age.
    func ensureWeeks(of ids: [UUID], deadline: ContinuousClock.Instant) async throws {
        try await database.execute(
            PostgresStatement("SELECT audit.ensure_weeks($1)", [.uuidArray(ids)]),
            deadline: deadline
        )
    }

    /// The partitions of now, and of the weeks of entries' ids, that are missing: table and Monday.
    func missingWeeks(
        of ids: [UUID],
        deadline: ContinuousClock.Instant
    ) async throws -> [MissingWeeks.Week] {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT week.parent, week.monday::text
                FROM (
                    SELECT 'entries', date_trunc('week', audit.uuid7_time(id) AT TIME ZONE 'UTC')::date
                    FROM unnest($1::uuid[]) AS id
                    UNION SELECT 'segments', date_trunc('week', now() AT TIME ZONE 'UTC')::date
                ) AS week (parent, monday)
                WHERE NOT EXISTS (
                    SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                    WHERE i.inhparent = ('audit.' || week.parent)::regclass
                      AND c.relname = week.parent || '_' || to_char(week.monday, 'YYYYMMDD')
                )
                ORDER BY 1, 2
                """,
                [.uuidArray(ids)],
                isReadOnly: true
            ),
            deadline: deadline
        )
        return try rows.map { MissingWeeks.Week(table: try $0.decode(0), monday: try $0.decode(1)) }
    }

    static func lane(_ row: PostgresRow) throws -> LaneName {
        LaneName(producer: try row.decode(0), epoch: try row.decode(1))
    }
}

// MARK: - Statements of the append transaction

extension LogRepository {
    /// Locks the head, or aborts the transaction when another writer has taken it.
    static func lockHead(_ head: LogHead) -> PostgresStatement {
        PostgresStatement("SELECT audit.lock_head($1, $2)", [.int8(head.fence), .int8(head.size)])
    }

    /// Moves the head on; under the lock that `lockHead` holds.
    static func moveHead(to size: Int64) -> PostgresStatement {
        PostgresStatement("UPDATE audit.head SET size = $1", [.int8(size)])
    }

    /// Takes entries whose turn has come out of those held: rows of producer, epoch, seq, canonical.
    static func release(_ runs: [AppendPlan.Run]) -> PostgresStatement {
        var (producers, epochs, firsts, ends): ([String], [Int64], [Int64], [Int64]) = ([], [], [], [])
        for run in runs {
            for range in run.released.ranges {
                producers.append(run.lane.producer)
                epochs.append(run.lane.epoch)
                firsts.append(range.lowerBound)
                ends.append(range.upperBound)
            }
        }
        return PostgresStatement(
            """
            DELETE FROM audit.early_entries e
            USING unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS due (producer, epoch, first, after)
            WHERE e.producer = due.producer AND e.epoch = due.epoch AND e.seq >= due.first AND e.seq < due.after
            RETURNING e.producer, e.epoch, e.seq, e.canonical
            """,
            [.textArray(producers), .int8Array(epochs), .int8Array(firsts), .int8Array(ends)]
        )
    }

    /// Holds entries that arrived before their turn.
    static func hold(_ entries: [AuditEntry]) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO audit.early_entries (producer, epoch, seq, canonical)
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[])
            ON CONFLICT DO NOTHING
            """,
            [
                .textArray(entries.map(\.producer)), .int8Array(entries.map(\.epoch)), .int8Array(entries.map(\.seq)),
                .bytesArray(entries.map(\.canonical)),
            ]
        )
    }

    /// Appends entries, the first of which gets the index `first`.
    static func append(_ entries: [AuditEntry], _ hashes: [MerkleHash], at first: Int64) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO audit.entries (entry_id, leaf_index, tenant, canonical, leaf_hash, action, actor_type, actor_id,
                                       object_type, object_id, trace_id)
            SELECT e.id, $1 + e.position - 1, e.tenant, e.canonical, e.hash, e.action, e.actor_type, e.actor_id,
                   e.object_type, e.object_id, e.trace_id
            FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[],
                        $10::text[], $11::text[]) WITH ORDINALITY
                 AS e (id, tenant, canonical, hash, action, actor_type, actor_id, object_type, object_id, trace_id,
                       position)
            """,
            [
                .int8(first), .uuidArray(entries.map(\.id)), .textArray(entries.map(\.tenant.key)),
                .bytesArray(entries.map(\.canonical)), .bytesArray(hashes.map(\.bytes)),
                .textArray(entries.map(\.action)), .textArray(entries.map(\.actor.type.rawValue)),
                .textArray(entries.map(\.actor.id)), .textArray(entries.map(\.object.type)),
                .textArray(entries.map(\.object.id)), .textArray(entries.map(\.traceID)),
            ]
        )
    }

    /// Records which numbers of which lanes have been appended; the first run begins at the index `first`.
    ///
    /// The database's clock decides in which week they stand: the clocks of replicas differ.
    static func record(_ runs: [AppendPlan.Run], at first: Int64) -> PostgresStatement {
        var indexes: [Int64] = []
        var index = first
        for run in runs {
            indexes.append(index)
            index += Int64(run.numbers.count)
        }
        return PostgresStatement(
            """
            INSERT INTO audit.segments (segment_id, producer, epoch, first_seq, last_seq, first_index)
            SELECT audit.uuid7(), * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
            """,
            [
                .textArray(runs.map(\.lane.producer)), .int8Array(runs.map(\.lane.epoch)),
                .int8Array(runs.map(\.numbers.lowerBound)), .int8Array(runs.map { $0.numbers.upperBound - 1 }),
                .int8Array(indexes),
            ]
        )
    }
}
