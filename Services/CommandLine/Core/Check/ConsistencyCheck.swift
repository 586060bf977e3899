import FoundationEssentials
import Persistence

/// Checks that the stored data of all services hold together.
///
/// All rules see the same moment: they are asked in one transaction that reads only. What they have to sort or to compare
/// the database does, on its disk where it is much; the answer to a rule is a few texts.
struct ConsistencyCheck: Sendable {
    let client: PostgresClient
    /// The least id that counts; all zeroes for everything.
    let least: UUID

    /// Checks every rule.
    ///
    /// - Parameters:
    ///   - rules: Which ones.
    ///   - report: Takes each finding as soon as it stands.
    /// - Throws: ``CommandLineError`` or `PersistenceError` when nothing can be told; a rule whose query fails is a
    ///   finding of its own.
    func run(_ rules: [CheckRule] = CheckRule.all, report: (CheckFinding) -> Void) async throws {
        for schema in ServiceSchema.allCases {
            try await SchemaGate.check(client: client, schema: schema)
        }
        let options = PostgresTransaction.Options(isolation: .repeatableRead, isReadOnly: true)
        try await client.withTransaction(options) { transaction in
            try await run(rules, in: transaction, report: report)
        }
    }

    /// Checks what a transaction sees.
    func run(
        _ rules: [CheckRule] = CheckRule.all,
        in transaction: PostgresTransaction,
        report: (CheckFinding) -> Void
    ) async throws {
        let weeks = try await StoredWeeks.read(transaction)
        for rule in rules {
            report(try await finding(rule, weeks, transaction))
        }
    }

    private func finding(
        _ rule: CheckRule,
        _ weeks: StoredWeeks,
        _ transaction: PostgresTransaction
    ) async throws -> CheckFinding {
        var finding = CheckFinding(rule)
        // One rule that cannot be checked, because a row cannot be read, must not end the others.
        try await transaction.execute(PostgresStatement("SAVEPOINT rule"))
        do {
            for week in ranges(of: rule, weeks) {
                let rows = try await transaction.execute(
                    PostgresStatement(
                        """
                        -- Planned for all of its rows; a plan for the first few takes hours where there are none.
                        WITH violation (example) AS MATERIALIZED (\(rule.query(weeks)))
                        SELECT example, (SELECT count(*) FROM violation) FROM violation
                        LIMIT \(CheckFinding.examplesShown)
                        """,
                        [.uuid(week.from), .uuid(week.until)],
                        isReadOnly: true
                    )
                )
                let count = try rows.first?.decode(1, as: Int64.self) ?? 0
                finding.add(count: count, examples: try rows.map { try $0.decode(0) })
            }
            try await transaction.execute(PostgresStatement("RELEASE SAVEPOINT rule"))
        } catch let error as PostgresError where error.sqlState != nil && !error.isRetryable {
            finding.failure = error.message
            try await transaction.execute(PostgresStatement("ROLLBACK TO SAVEPOINT rule"))
        }
        return finding
    }

    /// What the parameters of a rule's query stand for, one after the other.
    private func ranges(of rule: CheckRule, _ weeks: StoredWeeks) -> [StoredWeeks.Week] {
        switch rule.scope {
        case .all: [StoredWeeks.Week(from: least, until: CheckSince.dayBefore(least))]
        case .weeks(let table): weeks.weeks(of: table, since: least)
        }
    }
}
