import Persistence

/// A weekly partition, and how old it is.
struct WeeklyPartition: Sendable {
    /// The partitioned table, without its schema.
    var table: String
    /// The Monday that it begins with, as in `2026-01-05`.
    var week: String
    /// How many days lie between that Monday and today; negative for a week to come.
    var age: Int

    /// Whether all of it is older than so many days.
    func isOlder(than days: Int) -> Bool { age >= days + 7 }
}

/// What became of a partition that was old enough.
enum PartitionRetirement: String, Sendable {
    case dropped
    /// By the database's clock it is not old enough yet.
    case young
    case absent
    /// Something that is not finished needs it.
    case needed
    /// Another replica is at it.
    case busy
    /// A transaction uses the table, and was not waited for.
    case locked
}

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

    /// The statement that drops a partition where it can.
    func retiring(_ partition: WeeklyPartition, keeping days: Int) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(schema.name).retire_partition($1, $2::text::date, $3)",
            [.text(partition.table), .text(partition.week), .int4(Int32(clamping: days))]
        )
    }

    /// Reads the answer of ``retiring(_:keeping:)``.
    static func retirement(_ rows: PostgresRows) throws -> PartitionRetirement {
        let text = try rows.first?.decode(0, as: String.self) ?? ""
        guard let retirement = PartitionRetirement(rawValue: text) else {
            throw PostgresError(.decoding, "retire_partition answers \(text)")
        }
        return retirement
    }

    /// Deletes old rows, and answers how many.
    func delete(_ rows: RowRetention, limit: Int) async throws -> Int {
        let answer = try await database.execute(rows.deletion(of: limit), deadline: .now + Self.limit)
        return Int(try answer.first?.decode(0, as: Int64.self) ?? 0)
    }
}
