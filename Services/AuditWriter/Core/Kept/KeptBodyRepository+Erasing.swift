import Contracts
import Domain
import FoundationEssentials
import Messaging
import Persistence

/// What an erasure does, in this order, in one transaction.
extension KeptBodyRepository {
    /// Holds off whoever else erases a value, or puts its command away, until the end of the transaction.
    ///
    /// An erasure does not see a letter that is not committed yet, nor whoever writes a letter an erasure that is not.
    static func lock(_ hash: [UInt8], tenant: String) -> PostgresStatement {
        PostgresStatement(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 5))",
            [.text("audit.kept_bodies/\(tenant)/\(hash.hex)")]
        )
    }

    /// Remembers the hash of a value that is not there, so that it is not kept when it comes; nothing where its row is there.
    ///
    /// Whoever keeps the value at the same time has the row first, or finds it: one of both waits for the other.
    static func remembrance(of hash: [UInt8], tenant: String) -> ChangeStatement {
        ChangeStatement(
            """
            INSERT INTO audit.kept_bodies (body_hash, tenant, salt, body, erased_at)
            VALUES ($1, $2, decode(repeat('00', \(KeptBody.saltLength)), 'hex'), '', clock_timestamp())
            ON CONFLICT DO NOTHING
            """,
            [.bytes(hash), .text(tenant)]
        )
    }

    /// How long a value is that is there, which is locked.
    static func length(of hash: [UInt8], tenant: String) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT octet_length(body)::bigint FROM audit.kept_bodies
            WHERE body_hash = $1 AND tenant = $2 AND erased_at IS NULL FOR UPDATE
            """,
            [.bytes(hash), .text(tenant)]
        )
    }

    /// Takes a value away; salt and value go together, and the hash stays.
    static func erasure(of hash: [UInt8], tenant: String) -> ChangeStatement {
        ChangeStatement(
            """
            UPDATE audit.kept_bodies
            SET salt = decode(repeat('00', \(KeptBody.saltLength)), 'hex'), body = '', erased_at = clock_timestamp()
            WHERE body_hash = $1 AND tenant = $2 AND erased_at IS NULL
            """,
            [.bytes(hash), .text(tenant)]
        )
    }

    /// Empties the dead letters that hold the command of a value, whatever has become of them.
    static func emptying(lettersWith hash: [UInt8], tenant: String) -> ChangeStatement {
        ChangeStatement(
            """
            UPDATE audit.dead_letters SET body = ''
            WHERE tenant = $1 AND message_type = $2 AND position($3::bytea IN body) > 0
            """,
            [.text(tenant), .text(ContractType.auditKeep), .bytes(Array(Data(hash).base64EncodedString().utf8))]
        )
    }
}
