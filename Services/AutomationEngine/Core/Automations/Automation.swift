import Contracts
import Domain
import FoundationEssentials
import JSON
import Persistence

/// An automation as its row holds it.
struct Automation: Sendable {
    var id: UUID
    var tenant: String
    var key: String
    var status: AutomationStatus
    var version: Int
    /// Moves on with every change, activation included.
    var revision: Int64
    var name: String
    var description: String?
    /// As its author wrote it.
    var definition: [UInt8]
    var brokenReason: String?
    /// Whether its runs wait.
    var isPaused: Bool
    /// Microseconds of Unix time.
    var createdAt: Int64
    /// Microseconds of Unix time.
    var updatedAt: Int64

    /// The ETag, without its quotes.
    var etag: String { "\(id.lowercased.prefix(8))-\(revision)" }

    static let columns = """
        automation_id, tenant, automation_key, status, version, revision, name, description, definition, broken_reason,
        created_at, updated_at, paused
        """

    init(_ row: PostgresRow) throws {
        id = try row.decode(0, as: UUID.self)
        tenant = try row.decode(1, as: String.self)
        key = try row.decode(2, as: String.self)
        guard let status = AutomationStatus(rawValue: try row.decode(3, as: String.self)) else {
            throw PostgresError(.decoding, "an automation has a status that this release does not know")
        }
        self.status = status
        version = try row.decode(4, as: Int.self)
        revision = try row.decode(5, as: Int64.self)
        name = try row.decode(6, as: String.self)
        description = try row.decode(7, as: String?.self)
        definition = try row.decode(8, as: [UInt8].self)
        brokenReason = try row.decode(9, as: String?.self)
        createdAt = try row.decode(10, as: PostgresTimestamp.self).microsecondsSinceEpoch
        updatedAt = try row.decode(11, as: PostgresTimestamp.self).microsecondsSinceEpoch
        isPaused = try row.decode(12, as: Bool.self)
    }

    /// Writes the automation as clients read it.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", id.lowercased)
        writer.member("automation_key", key)
        writer.member("name", name)
        writer.member("description", description)
        writer.member("status", status.rawValue)
        writer.member("paused", isPaused)
        writer.member("version", Int64(version))
        writer.member("definition", raw: definition)
        if let brokenReason {
            writer.member("broken_reason", brokenReason)
        }
        writer.member("created_at", Timestamp.format(createdAt))
        writer.member("updated_at", Timestamp.format(updatedAt))
        writer.endObject()
    }

    /// The answer to a request about one automation: the automation, and its ETag.
    var answer: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("automation")
        write(to: &writer)
        writer.member("etag", etag)
        writer.endObject()
        return writer.bytes
    }

    /// What the audit log holds of it when it is created, edited or deleted.
    ///
    /// - Parameter more: What is to be told of this change besides.
    /// - Returns: Name, description, definition and version, and what is to be told besides.
    /// - Throws: What is wrong with a stored definition that is no JSON.
    func auditValue(adding more: [JSONMember] = []) throws -> JSONValue {
        .object(
            [
                JSONMember("name", .string(name)),
                JSONMember("description", description.map { .string($0) } ?? .null),
                JSONMember("definition", try JSONValue(parsing: definition)),
                JSONMember("version", .number(Int64(version))),
            ] + more
        )
    }
}
