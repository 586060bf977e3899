import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import Messaging
import Persistence
import Secrets
import ServiceBase

/// What administrators do with secrets: set, list, delete.
///
/// A value goes in and never comes out.
struct SecretService: Sendable {
    /// A shorter value could not be told from chance where it is taken out of an answer.
    static let shortest = 4
    static let longest = 8 * 1_024

    let database: PostgresClient
    let lanes: LaneGroup
    let keys: SecretKeyRing?

    /// Sets a secret: makes it, or gives it a new value.
    func put(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let name = try name(in: body)
        guard let value = body.root["value"]?.stringValue,
            (Self.shortest...Self.longest).contains(value.utf8.count)
        else {
            throw Problem(
                .invalidRequest,
                "The value is a text of \(Self.shortest) to \(Self.longest) bytes.",
                errors: [
                    Problem.Detail(
                        pointer: "/value",
                        code: "invalid_value",
                        detail: "The value is missing or too long."
                    )
                ]
            )
        }
        guard let keys else {
            throw Problem(.unavailable, SecretStore.notConfigured)
        }
        let secret = Secret(value)
        return try await lanes.change(deadline: context.deadline) { transaction in
            let stored = try await lock(name, context, in: transaction)
            if let stored, stored.holds(secret, name, of: context.tenant, keys: keys) {
                return .none(reply(200, name, version: stored.version, updatedAt: stored.updatedAt))
            }
            let version = (stored?.version ?? 0) + 1
            let sealed: SealedSecret
            do {
                sealed = try keys.seal(
                    secret,
                    for: .engine(tenant: context.tenant, name: name.text, version: version)
                )
            } catch {
                throw Problem(.internalError)
            }
            let now = Timestamp.now()
            transaction.enqueue([
                ChangeStatement(
                    """
                    INSERT INTO engine.secrets (tenant, name, version, sealed, created_at, updated_at, updated_by)
                    VALUES ($1, $2, $3, $4, $6, $6, $5)
                    ON CONFLICT (tenant, name) DO UPDATE SET version = excluded.version, sealed = excluded.sealed,
                        updated_at = excluded.updated_at, updated_by = excluded.updated_by
                    """,
                    [
                        .text(context.tenant), .text(name.text), .int(Int(version)), .bytes(sealed.bytes),
                        .text(context.actor.id), .timestamp(microseconds: now.microseconds),
                    ]
                )
            ])
            return .made(
                reply(stored == nil ? 201 : 200, name, version: version, updatedAt: now.description),
                try entry(
                    stored == nil ? "create" : "update",
                    name,
                    before: stored?.version,
                    after: version,
                    context
                )
            )
        }
    }

    /// Deletes a secret; steps that name it fail from then on.
    func delete(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let name = try name(in: body)
        return try await lanes.change(deadline: context.deadline) { transaction in
            guard let stored = try await lock(name, context, in: transaction) else {
                throw Problem(.notFound, "There is no secret \"\(name)\".")
            }
            transaction.enqueue([
                ChangeStatement(
                    "DELETE FROM engine.secrets WHERE tenant = $1 AND name = $2",
                    [.text(context.tenant), .text(name.text)]
                )
            ])
            return .made(
                Reply(status: 200, body: Array(#"{"name":"\#(name)"}"#.utf8)),
                try entry("delete", name, before: stored.version, after: nil, context)
            )
        }
    }

    /// The names of a tenant's secrets, without their values.
    func list(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let page = try Page(body.root)
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT name, version, updated_at FROM engine.secrets
                WHERE tenant = $1 AND ($2::text IS NULL OR name > $2) ORDER BY name LIMIT $3
                """,
                [.text(context.tenant), .text(page.cursor), .int(page.limit + 1)],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        let items = try rows.map { row in
            Listed(
                name: try row.decode(0),
                version: try row.decode(1),
                updatedAt: Timestamp.format(try row.decode(2, as: PostgresTimestamp.self))
            )
        }
        return Reply(
            status: 200,
            body: page.answer(items, cursor: \.name) { item, writer in
                write(item.name, version: item.version, updatedAt: item.updatedAt, to: &writer)
            }
        )
    }

    private struct Listed {
        var name: String
        var version: Int64
        var updatedAt: String
    }

    private func name(in body: JSONDocument) throws -> SecretName {
        guard let name = body.root["name"]?.stringValue.flatMap(SecretName.init) else {
            throw Problem(
                .invalidRequest,
                "A secret's name is 1 to 100 characters of a-z, 0-9, \".\", \"_\" and \"-\", beginning with a letter."
            )
        }
        return name
    }

    /// A secret as it stands, locked until the end of the transaction.
    private func lock(
        _ name: SecretName,
        _ context: RequestContext,
        in transaction: ChangeTransaction
    ) async throws -> Stored? {
        let results = try await transaction.database.pipeline([
            // Two that make the same secret at once wait for each other here.
            PostgresStatement(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 1))",
                [.text("engine.secrets/\(context.tenant)/\(name)")]
            ),
            PostgresStatement(
                "SELECT version, updated_at, sealed FROM engine.secrets WHERE tenant = $1 AND name = $2 FOR UPDATE",
                [.text(context.tenant), .text(name.text)]
            ),
        ])
        return try results[1].first.map { row in
            Stored(
                version: try row.decode(0),
                updatedAt: Timestamp.format(try row.decode(1, as: PostgresTimestamp.self)),
                sealed: try row.decode(2)
            )
        }
    }

    private struct Stored {
        var version: Int64
        var updatedAt: String
        var sealed: [UInt8]

        /// Whether it is that very value; no where it cannot be opened any more.
        func holds(_ secret: Secret, _ name: SecretName, of tenant: String, keys: SecretKeyRing) -> Bool {
            let context = SecretContext.engine(tenant: tenant, name: name.text, version: version)
            let opened = try? keys.open(SealedSecret(bytes: sealed), for: context)
            return opened == secret
        }
    }

    private func reply(_ status: Int, _ name: SecretName, version: Int64, updatedAt: String) -> Reply {
        var writer = JSONWriter()
        write(name.text, version: version, updatedAt: updatedAt, to: &writer)
        return Reply(status: status, body: writer.bytes)
    }

    private func write(_ name: String, version: Int64, updatedAt: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name", name)
        writer.member("version", version)
        writer.member("updated_at", updatedAt)
        writer.endObject()
    }

    private func entry(
        _ action: String,
        _ name: SecretName,
        before: Int64?,
        after: Int64?,
        _ context: RequestContext
    ) throws -> AuditDraft {
        func value(_ version: Int64?) throws -> AuditValue {
            try version.map { try .json(["name": .string(name.text), "version": .number($0)]) } ?? .none
        }
        return AuditDraft(
            action,
            of: AuditObject(type: "secret", id: name.text, version: (after ?? before).map(Int.init(clamping:))),
            before: try value(before),
            after: try value(after),
            by: context
        )
    }
}
