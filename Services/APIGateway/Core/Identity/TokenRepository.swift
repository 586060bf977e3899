import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// One row of `gateway.api_tokens`, without its hash.
struct TokenRecord: Sendable, Equatable {
    var tokenID: UUID
    var name: String
    var role: String
    var createdAt: Timestamp
    var createdBy: String
    var expiresAt: Timestamp?
    var revokedAt: Timestamp?

    static let columns = "token_id, name, role, created_at, created_by, expires_at, revoked_at"

    init(
        tokenID: UUID,
        name: String,
        role: Role,
        createdAt: Timestamp,
        createdBy: String,
        expiresAt: Timestamp? = nil
    ) {
        self.tokenID = tokenID
        self.name = name
        self.role = role.rawValue
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.expiresAt = expiresAt
    }

    /// Reads a row that has ``columns``.
    init(row: PostgresRow) throws {
        tokenID = try row.decode(0)
        name = try row.decode(1)
        role = try row.decode(2)
        createdAt = Timestamp(microseconds: try row.decode(3, as: PostgresTimestamp.self).microsecondsSinceEpoch)
        createdBy = try row.decode(4)
        expiresAt = try row.decode(5, as: PostgresTimestamp?.self).map {
            Timestamp(microseconds: $0.microsecondsSinceEpoch)
        }
        revokedAt = try row.decode(6, as: PostgresTimestamp?.self).map {
            Timestamp(microseconds: $0.microsecondsSinceEpoch)
        }
    }

    /// Writes the token as a client sees it; the text of the token itself only right after it was made.
    func write(to writer: inout JSONWriter, text: String? = nil) {
        writer.beginObject()
        writer.member("token_id", tokenID.lowercased)
        writer.member("name", name)
        writer.member("role", role)
        writer.member("created_at", createdAt.description)
        writer.member("created_by", createdBy)
        writer.member("expires_at", expiresAt?.description)
        writer.member("revoked_at", revokedAt?.description)
        if let text {
            writer.member("token", text)
        }
        writer.endObject()
    }

    /// What the audit log says of it.
    func audited() throws -> AuditValue {
        var members = [JSONMember("name", .string(name)), JSONMember("role", .string(role))]
        if let expiresAt {
            members.append(JSONMember("expires_at", .string(expiresAt.description)))
        }
        if let revokedAt {
            members.append(JSONMember("revoked_at", .string(revokedAt.description)))
        }
        return try .json(.object(members))
    }
}

/// The SQL of changes of tokens; each belongs into a transaction that also moves the generation on.
enum TokenRepository {
    static func insertion(_ token: TokenRecord, hash: TokenHash, of tenant: Tenant) -> ChangeStatement {
        ChangeStatement(
            """
            INSERT INTO gateway.api_tokens (token_id, tenant, name, role, token_hash, created_at, created_by, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .uuid(token.tokenID), .text(tenant.key), .text(token.name), .text(token.role), .bytes(hash.bytes),
                .timestamp(microseconds: token.createdAt.microseconds), .text(token.createdBy),
                .timestamp(microseconds: token.expiresAt?.microseconds),
            ]
        )
    }

    /// Reads one token of a tenant and locks it.
    static func locked(_ tokenID: UUID, of tenant: Tenant) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT \(TokenRecord.columns) FROM gateway.api_tokens WHERE token_id = $1 AND tenant = $2 FOR UPDATE
            """,
            [.uuid(tokenID), .text(tenant.key)]
        )
    }

    static func revocation(_ tokenID: UUID, at time: Timestamp) -> ChangeStatement {
        ChangeStatement(
            "UPDATE gateway.api_tokens SET revoked_at = $2 WHERE token_id = $1",
            [.uuid(tokenID), .timestamp(microseconds: time.microseconds)]
        )
    }

    /// A page of a tenant's tokens, newest first, those before a given one.
    static func page(of tenant: Tenant, before tokenID: UUID?, count: Int) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT \(TokenRecord.columns) FROM gateway.api_tokens
            WHERE tenant = $1 AND ($2::uuid IS NULL OR token_id < $2) ORDER BY token_id DESC LIMIT $3
            """,
            [.text(tenant.key), .uuid(tokenID), .int(count)],
            isReadOnly: true
        )
    }
}
