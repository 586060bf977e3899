import Contracts
import Domain
import FoundationEssentials
import Messaging
package import Persistence

/// The SQL of kept values and of the commands that brought them.
package struct KeptBodyRepository: Sendable {
    private let database: PostgresClient

    package init(database: PostgresClient) {
        self.database = database
    }

    /// Carries commands out that were not carried out before, all or none.
    ///
    /// What was erased is not kept, whatever brings it: its hash is there.
    func keep(_ commands: [KeepCommand], deadline: ContinuousClock.Instant) async throws {
        _ = try await database.execute(
            PostgresStatement(
                """
                WITH command AS (
                    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::bytea[], $5::text[])
                        AS c (id, tenant, hash, salt, body)
                ), fresh AS (
                    INSERT INTO audit.inbox (command_id) SELECT DISTINCT id FROM command ORDER BY id
                    ON CONFLICT DO NOTHING RETURNING command_id
                )
                INSERT INTO audit.kept_bodies (body_hash, tenant, salt, body)
                SELECT DISTINCT ON (c.tenant, c.hash) c.hash, c.tenant, c.salt, c.body
                FROM command c JOIN fresh f ON f.command_id = c.id
                ORDER BY c.tenant, c.hash
                ON CONFLICT DO NOTHING
                """,
                [
                    .uuidArray(commands.map(\.id)), .textArray(commands.map(\.tenant.key)),
                    .bytesArray(commands.map(\.kept.hash)), .bytesArray(commands.map(\.kept.salt)),
                    .textBytesArray(commands.map(\.kept.body)),
                ]
            ),
            deadline: deadline
        )
    }

    /// What has become of values of a tenant.
    func bodies(
        _ hashes: [[UInt8]],
        of tenant: String,
        deadline: ContinuousClock.Instant
    ) async throws -> KeptBodies {
        var bodies = KeptBodies()
        guard !hashes.isEmpty else {
            return bodies
        }
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT body_hash, CASE WHEN erased_at IS NULL THEN body END FROM audit.kept_bodies
                WHERE body_hash = ANY ($1::bytea[]) AND tenant = $2
                """,
                [.bytesArray(hashes), .text(tenant)],
                isReadOnly: true
            ),
            deadline: deadline
        )
        for row in rows {
            let hash = try row.decode(0, as: [UInt8].self)
            if let body = try row.decode(1, as: String?.self) {
                bodies.there[hash] = Array(body.utf8)
            } else {
                bodies.erased.insert(hash)
            }
        }
        return bodies
    }

    /// Puts a command away, without its value where that was erased.
    ///
    /// An erasure of the value has ended when the letter is written, or finds the letter itself.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - insertion: Writes its dead letter.
    ///   - deadline: When to give up.
    /// - Throws: `PostgresError`.
    func bury(
        _ command: KeepCommand,
        _ insertion: PostgresStatement,
        deadline: ContinuousClock.Instant
    ) async throws {
        let (hash, tenant) = (command.kept.hash, command.tenant.key)
        let emptying = PostgresStatement(
            """
            UPDATE audit.dead_letters SET body = '' WHERE message_id = $1 AND tenant = $2 AND EXISTS (
                SELECT FROM audit.kept_bodies k
                WHERE k.tenant = $2 AND k.body_hash = $3 AND k.erased_at IS NOT NULL)
            """,
            [.text(command.id.lowercased), .text(tenant), .bytes(hash)]
        )
        _ = try await database.withTransaction(deadline: deadline) { transaction in
            try await transaction.commit([Self.lock(hash, tenant: tenant), insertion, emptying])
        }
    }

    /// Which of some commands have been neither carried out nor put away.
    func lacking(_ ids: [UUID], deadline: ContinuousClock.Instant) async throws -> [UUID] {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT asked.id FROM unnest($1::uuid[]) AS asked (id)
                WHERE NOT EXISTS (SELECT FROM audit.inbox i WHERE i.command_id = asked.id)
                  AND NOT EXISTS (SELECT FROM audit.dead_letters l WHERE l.message_id = asked.id::text)
                """,
                [.uuidArray(ids)],
                isReadOnly: true
            ),
            deadline: deadline
        )
        return try rows.map { try $0.decode(0) }
    }
}
