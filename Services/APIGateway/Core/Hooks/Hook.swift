import Contracts
import Domain
import FoundationEssentials
import JSON
import Persistence

/// One row of `gateway.hooks`, without its secrets: who may send webhooks, and what becomes of them.
struct Hook: Sendable, Equatable {
    var hookID: UUID
    var tenant: Tenant
    var name: String
    var kind: HookKind
    var typePrefix: String?
    /// The mapping's text as it came.
    var mapping: String?
    /// How the publisher signs, where the kind does not say it.
    var signature: HookSignature?
    /// Counts the secrets that it has had.
    var secretVersion: Int64
    /// Until when the secret before the present one is accepted too.
    var previousUntil: Timestamp?
    var createdAt: Timestamp
    var createdBy: String
    var rotatedAt: Timestamp?

    static let columns = """
        hook_id, tenant, name, kind, type_prefix, mapping, secret_version, previous_until, created_at, created_by, rotated_at,
        signature
        """
    static let columnCount = 12

    init(hookID: UUID, tenant: Tenant, request: HookRequest, createdAt: Timestamp, createdBy: String) {
        self.hookID = hookID
        self.tenant = tenant
        name = request.name
        kind = request.kind
        typePrefix = request.typePrefix
        mapping = request.mapping
        signature = request.signature
        secretVersion = 1
        self.createdAt = createdAt
        self.createdBy = createdBy
    }

    /// Reads a row that begins with ``columns``.
    init(row: PostgresRow) throws {
        guard let tenant = Tenant(try row.decode(1)), let kind = HookKind(rawValue: try row.decode(3)) else {
            throw PostgresError(.decoding, "a hook's tenant or kind is unknown to this release")
        }
        hookID = try row.decode(0)
        self.tenant = tenant
        name = try row.decode(2)
        self.kind = kind
        typePrefix = try row.decode(4)
        mapping = try row.decode(5)
        secretVersion = try row.decode(6)
        previousUntil = try Self.time(row.decode(7))
        createdAt = Timestamp(microseconds: try row.decode(8, as: PostgresTimestamp.self).microsecondsSinceEpoch)
        createdBy = try row.decode(9)
        rotatedAt = try Self.time(row.decode(10))
        signature = try row.decode(11, as: String?.self).map { try Self.signature($0) }
    }

    /// Reads a signature's form, which was checked when it was stored.
    private static func signature(_ text: String) throws -> HookSignature {
        var faults: [GatewayProblem.Fault] = []
        guard let signature = HookSignature(try JSONDocument(parsing: text).root, faults: &faults) else {
            throw PostgresError(.decoding, "a hook's signature is unknown to this release")
        }
        return signature
    }

    private static func time(_ time: PostgresTimestamp?) -> Timestamp? {
        time.map { Timestamp(microseconds: $0.microsecondsSinceEpoch) }
    }

    /// What its address ends in: unique over all tenants, because neither of the two has a full stop.
    var source: String { "\(tenant.key).\(name)" }

    /// What its webhooks prove themselves with.
    var credential: HookCredential { HookCredential(kind, signature: signature) }

    /// Where its webhooks go, and the `source` of its signals.
    var url: String { "/api/hooks/\(source)" }

    /// Writes the hook as a client sees it; a secret only right after it was made here.
    func write(to writer: inout JSONWriter, secret: String? = nil) {
        writer.beginObject()
        writer.member("name", name)
        writer.member("kind", kind.rawValue)
        writer.member("url", url)
        writer.member("type_prefix", typePrefix)
        writer.member("mapping", raw: mapping.map { Array($0.utf8) })
        writer.member("signature", raw: signature.map { Array($0.text.utf8) })
        writer.member("secret_version", secretVersion)
        writer.member("created_at", createdAt.description)
        writer.member("created_by", createdBy)
        writer.member("rotated_at", rotatedAt?.description)
        writer.member("previous_secret_until", previousUntil?.description)
        if let secret {
            writer.member("secret", secret)
        }
        writer.endObject()
    }

    /// What the audit log says of it.
    func audited() throws -> AuditValue {
        var members = [
            JSONMember("kind", .string(kind.rawValue)), JSONMember("name", .string(name)),
            JSONMember("secret_version", .number(secretVersion)),
        ]
        if let typePrefix {
            members.append(JSONMember("type_prefix", .string(typePrefix)))
        }
        if let mapping {
            members.append(JSONMember("mapping", try JSONValue(parsing: Array(mapping.utf8))))
        }
        if let signature {
            members.append(JSONMember("signature", try JSONValue(parsing: Array(signature.text.utf8))))
        }
        if let previousUntil {
            members.append(JSONMember("previous_secret_until", .string(previousUntil.description)))
        }
        return try .json(.object(members))
    }
}
