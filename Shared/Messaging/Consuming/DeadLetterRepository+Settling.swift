package import Contracts
package import FoundationEssentials
import PostgreSQL

/// Reads dead letters, and records what has become of them; always for one tenant.
extension DeadLetterRepository {
    /// The tenant that stands for what belongs to none: it sees the letters without a tenant beside its own.
    package static let tenantOfNobody = "batuta"

    /// How long a letter is one replica's to process, in seconds; longer than processing may take.
    static let claimSeconds = 60

    /// A page of a tenant's letters of one state, newest first.
    ///
    /// - Parameters:
    ///   - state: Which ones.
    ///   - tenant: The tenant's key.
    ///   - after: Where the page before ended.
    ///   - count: How many at most.
    ///   - deadline: When to give up.
    /// - Returns: The letters.
    /// - Throws: `PostgresError`.
    package func page(
        _ state: StoredDeadLetter.State,
        of tenant: String,
        after: DeadLetterCursor?,
        count: Int,
        deadline: ContinuousClock.Instant
    ) async throws -> [StoredDeadLetter] {
        var values: [PostgresValue] = [.text(tenant), .int(count)]
        var condition = ""
        if let after {
            condition = "AND (received_at, dead_letter_id) < ($3, $4)"
            values += [.timestamp(microseconds: after.receivedAt.microseconds), .uuid(after.id)]
        }
        let statement = PostgresStatement(
            """
            SELECT \(StoredDeadLetter.columns) FROM \(schema).dead_letters
            WHERE state = '\(state.rawValue)' AND \(Self.visible(to: tenant)) \(condition)
            ORDER BY received_at DESC, dead_letter_id DESC LIMIT $2
            """,
            values,
            isReadOnly: true
        )
        return try await database.execute(statement, deadline: deadline).map { try StoredDeadLetter($0) }
    }

    /// One letter of a tenant, with its message.
    package func letter(
        _ id: UUID,
        of tenant: String,
        deadline: ContinuousClock.Instant
    ) async throws -> (letter: StoredDeadLetter, content: StoredDeadLetter.Content)? {
        let statement = PostgresStatement(
            """
            SELECT \(StoredDeadLetter.columns), headers, body FROM \(schema).dead_letters
            WHERE dead_letter_id = $2 AND \(Self.visible(to: tenant))
            """,
            [.text(tenant), .uuid(id)],
            isReadOnly: true
        )
        return try await database.execute(statement, deadline: deadline).first.map(Self.whole)
    }

    /// Makes a waiting letter the caller's own to process for a while; nil where it is none, or somebody else's.
    package func claim(
        _ id: UUID,
        of tenant: String,
        by claim: UUID,
        deadline: ContinuousClock.Instant
    ) async throws -> (letter: StoredDeadLetter, content: StoredDeadLetter.Content)? {
        let statement = PostgresStatement(
            """
            UPDATE \(schema).dead_letters
            SET claimed_by = $3, claimed_until = clock_timestamp() + make_interval(secs => \(Self.claimSeconds))
            WHERE dead_letter_id = $2 AND \(Self.visible(to: tenant)) AND \(Self.free)
            RETURNING \(StoredDeadLetter.columns), headers, body
            """,
            [.text(tenant), .uuid(id), .uuid(claim)]
        )
        return try await database.execute(statement, deadline: deadline).first.map(Self.whole)
    }

    /// Gives a claimed letter back that could not be processed.
    package func release(_ id: UUID, claim: UUID, deadline: ContinuousClock.Instant) async throws {
        let statement = PostgresStatement(
            """
            UPDATE \(schema).dead_letters SET claimed_by = NULL, claimed_until = NULL
            WHERE dead_letter_id = $1 AND claimed_by = $2
            """,
            [.uuid(id), .uuid(claim)]
        )
        try await database.execute(statement, deadline: deadline)
    }

    /// The statement that records that a claimed letter was processed; its row is the letter as it is then.
    package func redriven(_ id: UUID, claim: UUID) -> ChangeStatement {
        ChangeStatement(
            """
            UPDATE \(schema).dead_letters
            SET state = 'redriven', redriven_at = clock_timestamp(), claimed_by = NULL, claimed_until = NULL
            WHERE dead_letter_id = $1 AND claimed_by = $2 AND state = 'waiting'
            RETURNING \(StoredDeadLetter.columns)
            """,
            [.uuid(id), .uuid(claim)]
        )
    }

    /// The statement that records that a waiting letter is not to be processed; its row is the letter as it is then.
    package func discarded(_ id: UUID, of tenant: String, reason: String) -> ChangeStatement {
        ChangeStatement(
            """
            UPDATE \(schema).dead_letters
            SET state = 'discarded', discarded_at = clock_timestamp(), discard_reason = $3,
                claimed_by = NULL, claimed_until = NULL
            WHERE dead_letter_id = $2 AND \(Self.visible(to: tenant)) AND \(Self.free)
            RETURNING \(StoredDeadLetter.columns)
            """,
            [.text(tenant), .uuid(id), .text(reason)]
        )
    }

    /// How many letters of all tenants wait.
    package func waitingCount(deadline: ContinuousClock.Instant) async throws -> Int {
        let statement = PostgresStatement(
            "SELECT count(*) FROM \(schema).dead_letters WHERE state = 'waiting'",
            isReadOnly: true
        )
        return try await database.execute(statement, deadline: deadline).first?.decode(0) ?? 0
    }

    private static let free = "state = 'waiting' AND (claimed_until IS NULL OR claimed_until < clock_timestamp())"

    /// Which letters a tenant, which is the first parameter, may see.
    private static func visible(to tenant: String) -> String {
        tenant == tenantOfNobody ? "(tenant = $1 OR tenant IS NULL)" : "tenant = $1"
    }

    private static func whole(
        _ row: PostgresRow
    ) throws -> (letter: StoredDeadLetter, content: StoredDeadLetter.Content) {
        (
            try StoredDeadLetter(row),
            StoredDeadLetter.Content(properties: try row.decode(14), body: try row.decode(15))
        )
    }
}
