import Contracts
import Domain
import JSON
import Persistence

/// A version of an automation, as it is kept for ever.
struct AutomationVersion: Sendable {
    var number: Int
    var content: AutomationContent
    /// Microseconds of Unix time.
    var createdAt: Int64
    /// The principal who made it.
    var createdBy: String

    static let columns = "version, name, description, definition, created_at, created_by"

    init(_ row: PostgresRow) throws {
        number = try row.decode(0, as: Int.self)
        content = AutomationContent(
            name: try row.decode(1),
            description: try row.decode(2),
            definition: try row.decode(3)
        )
        createdAt = try row.decode(4, as: PostgresTimestamp.self).microsecondsSinceEpoch
        createdBy = try row.decode(5)
    }

    /// Writes the version as clients read it; in a list without what may be long.
    func write(to writer: inout JSONWriter, isWhole: Bool) {
        writer.beginObject()
        writer.member("version", Int64(number))
        if isWhole {
            content.writeMembers(to: &writer)
        } else {
            writer.member("name", content.name)
        }
        writer.member("created_at", Timestamp.format(createdAt))
        writer.member("created_by", createdBy)
        writer.endObject()
    }
}
