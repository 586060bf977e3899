import FoundationEssentials
import Persistence

/// Which weeks of which partitioned tables the database holds; retention drops those of each table by themselves.
struct StoredWeeks: Sendable {
    /// The ids from `from` up to `until`, which it does not reach.
    struct Week: Sendable, Equatable {
        var from: UUID
        var until: UUID
    }

    private let weeks: [String: [Week]]

    /// - Parameter weeks: By table, each table's in the order of time.
    init(_ weeks: [String: [Week]]) {
        self.weeks = weeks
    }

    /// The weeks of a table, from a least id on.
    func weeks(of table: String, since least: UUID) -> [Week] {
        weeks[table, default: []].filter { $0.until > least }.map { Week(from: max($0.from, least), until: $0.until) }
    }

    /// The condition that a table still holds the week of an id.
    ///
    /// Weeks that follow each other are one range, so that the text is short unless retention has left single ones.
    func holds(_ column: String, in table: String) -> String {
        var ranges: [Week] = []
        for week in weeks[table, default: []] {
            if let last = ranges.last, last.until == week.from {
                ranges[ranges.count - 1].until = week.until
            } else {
                ranges.append(week)
            }
        }
        guard !ranges.isEmpty else { return "false" }
        return "(" + ranges.map { "\(column) >= '\($0.from)' AND \(column) < '\($0.until)'" }.joined(separator: " OR ")
            + ")"
    }

    /// Reads them.
    static func read(_ transaction: PostgresTransaction) async throws -> StoredWeeks {
        let rows = try await transaction.execute(
            PostgresStatement(
                #"""
                SELECT n.nspname || '.' || p.relname, (b.bounds)[1]::uuid, (b.bounds)[2]::uuid
                FROM pg_class p
                JOIN pg_namespace n ON n.oid = p.relnamespace
                JOIN pg_inherits i ON i.inhparent = p.oid
                JOIN pg_class c ON c.oid = i.inhrelid
                CROSS JOIN LATERAL regexp_match(
                    pg_get_expr(c.relpartbound, c.oid), 'FROM \(''([0-9a-f-]{36})''\) TO \(''([0-9a-f-]{36})''\)'
                ) AS b (bounds)
                WHERE n.nspname = ANY ($1) AND p.relkind = 'p' AND b.bounds IS NOT NULL
                ORDER BY 1, 2
                """#,
                [.textArray(ServiceSchema.allCases.map(\.name))]
            )
        )
        var weeks: [String: [Week]] = [:]
        for row in rows {
            weeks[try row.decode(0), default: []].append(Week(from: try row.decode(1), until: try row.decode(2)))
        }
        return StoredWeeks(weeks)
    }
}
