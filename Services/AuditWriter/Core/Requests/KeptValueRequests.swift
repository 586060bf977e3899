import Contracts
import Domain
import FoundationEssentials
package import JSON
package import Messaging
package import Persistence

/// Gives out the values that are kept beside the log, piece by piece, as they may be larger than a reply.
package struct KeptValueRequests: Sendable {
    /// How many bytes one piece has; base64 makes a third more of them.
    static let pieceSize = 128 * 1_024

    private let database: PostgresClient
    private let accesses: LogAccesses

    package init(database: PostgresClient, accesses: LogAccesses) {
        self.database = database
        self.accesses = accesses
    }

    /// `audit.kept.get`: the bytes of a value from one on, with the salt that its hash was made with.
    ///
    /// The first piece leaves an entry.
    package func get(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        guard let hash = body.root["sha256"]?.stringValue.flatMap([UInt8].init(hex:)), hash.count == 32 else {
            throw Problem(.notFound)
        }
        guard let from = body.root["from"]?.int64Value, (0...Int64(Int32.max / 2)).contains(from) else {
            throw Problem(.invalidRequest, "from is a whole number from 0 on.")
        }
        let asked = try ReadTenant(body.root["tenant"], context)
        guard let tenant = asked.key else {
            throw Problem(.invalidRequest, "A value is that of one tenant.")
        }
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT octet_length(body)::bigint, salt, substring(convert_to(body, 'UTF8') FROM $3::int FOR $4::int)
                FROM audit.kept_bodies WHERE body_hash = $1 AND tenant = $2 AND erased_at IS NULL
                """,
                [.bytes(hash), .text(tenant), .int(Int(from) + 1), .int(Self.pieceSize)],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        guard let row = rows.first else {
            throw Problem(.notFound)
        }
        if from == 0 {
            var members = [JSONMember("sha256", .string(hash.hex))]
            if let name = asked.recorded(context) { members.append(JSONMember("tenant", .string(name))) }
            try await accesses.record("audit.query", try .json(.object(members)), context)
        }
        var writer = JSONWriter(capacity: Self.pieceSize * 2)
        writer.beginObject()
        writer.member("bytes", try row.decode(0, as: Int64.self))
        writer.member("salt", Data(try row.decode(1, as: [UInt8].self)).base64EncodedString())
        writer.member("piece", Data(try row.decode(2, as: [UInt8].self)).base64EncodedString())
        writer.endObject()
        return Reply(body: writer.bytes)
    }
}
