import Contracts
import Messaging
import Persistence

/// The SQL of retention.
struct RetentionRepository: Sendable {
    /// How long a statement may take; the locks it waits for have a limit of their own, inside the database.
    private static let limit = Duration.seconds(60)

    let schema: ServiceSchema
    let database: PostgresClient

    /// All partitions of the schema, the oldest first.
    func partitions() async throws -> [WeeklyPartition] {
        let statement = PostgresStatement(
            """
            SELECT p.relname::text, w.week::text, ((now() AT TIME ZONE 'UTC')::date - w.week)::integer
            FROM pg_class p
            JOIN pg_namespace n ON n.oid = p.relnamespace
            JOIN pg_inherits i ON i.inhparent = p.oid
            JOIN pg_class c ON c.oid = i.inhrelid
            CROSS JOIN LATERAL to_date(right(c.relname, 8), 'YYYYMMDD') AS w (week)
            WHERE n.nspname = $1 AND p.relkind = 'p' AND c.relname ~ '_[0-9]{8}$'
            ORDER BY w.week, p.relname
            """,
            [.text(schema.name)],
            isReadOnly: true
        )
        return try await database.execute(statement, deadline: .now + Self.limit).map { row in
            WeeklyPartition(table: try row.decode(0), week: try row.decode(1), age: try row.decode(2))
        }
    }

    /// Drops a partition where it can.
    func retire(_ partition: WeeklyPartition, keeping days: Int) async throws -> PartitionRetirement {
        let statement = call("retire_partition", partition, days)
        let rows = try await database.execute(statement, deadline: .now + Self.limit)
        return try PartitionRetirement(answer: try rows.first?.decode(0) ?? "")
    }

    /// Drops a partition in a transaction that is not committed where it cannot, with an entry in the audit log.
    func retire(
        _ partition: WeeklyPartition,
        keeping days: Int,
        in lanes: LaneGroup
    ) async throws -> PartitionRetirement {
        do {
            try await lanes.change(deadline: .now + Self.limit) { transaction in
                // With the COMMIT, so that the table is locked for no round trip.
                transaction.enqueue([ChangeStatement(call("require_retired", partition, days))])
                return .made((), .retired(partition, of: schema, keeping: days, by: transaction.lane.producer))
            }
            return .dropped
        } catch let error as PostgresError where error.sqlState == GuardState.partitionKept {
            return try PartitionRetirement(answer: error.message)
        }
    }

    private func call(_ function: String, _ partition: WeeklyPartition, _ days: Int) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(schema.name).\(function)($1, $2::text::date, $3)",
            [.text(partition.table), .text(partition.week), .int4(Int32(clamping: days))]
        )
    }

    /// Deletes old rows, and answers how many.
    func delete(_ rows: RowRetention, limit: Int) async throws -> Int {
        let answer = try await database.execute(rows.deletion(of: limit), deadline: .now + Self.limit)
        return Int(try answer.first?.decode(0, as: Int64.self) ?? 0)
    }
}
