import Contracts
import Domain
import JSON
import Persistence

/// A registered action as its row holds it.
struct StoredAction: Sendable {
    var key: String
    /// Moves on with every change.
    var revision: Int64
    /// As its author wrote it.
    var registration: [UInt8]
    /// Microseconds of Unix time.
    var createdAt: Int64
    /// Microseconds of Unix time.
    var updatedAt: Int64
    var isWithdrawn: Bool

    /// The ETag, without its quotes.
    var etag: String { "action-\(revision)" }

    static let columns = "action_key, revision, registration, created_at, updated_at, withdrawn_at IS NOT NULL"

    init(_ row: PostgresRow) throws {
        key = try row.decode(0)
        revision = try row.decode(1)
        registration = try row.decode(2)
        createdAt = try row.decode(3, as: PostgresTimestamp.self).microsecondsSinceEpoch
        updatedAt = try row.decode(4, as: PostgresTimestamp.self).microsecondsSinceEpoch
        isWithdrawn = try row.decode(5)
    }

    /// The action as steps use it; nil where it was withdrawn, or this release cannot read it.
    var remote: RemoteAction? {
        guard !isWithdrawn, let body = try? JSONDocument(parsing: registration).root,
            let registration = try? ActionRegistration(body, key: key)
        else {
            return nil
        }
        return RemoteAction(key: key, registration: registration)
    }

    /// What the audit log holds of it.
    ///
    /// - Throws: What is wrong with a stored registration that is no JSON.
    func auditValue() throws -> JSONValue { try JSONValue(parsing: registration) }

    /// Writes the action as clients read it.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        if let registration = remote?.registration {
            registration.declaration.writeMembers(to: &writer)
        } else {
            writer.member("action_key", key)
        }
        writer.member("kind", "remote")
        let body = try? JSONDocument(parsing: registration).root
        for name in ["simulation", "endpoint"] {
            if let member = body?[name] {
                writer.key(name)
                writer.raw(member.rawBytes)
            }
        }
        writer.member("version", revision)
        writer.member("created_at", Timestamp.format(createdAt))
        writer.member("updated_at", Timestamp.format(updatedAt))
        writer.endObject()
    }
}
