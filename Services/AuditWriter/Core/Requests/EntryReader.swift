import Contracts
import Domain
import FoundationEssentials
package import JSON
package import Messaging
package import Persistence

/// Reads the log for clients, always of one tenant.
package struct EntryReader: Sendable {
    /// How many entries one answer may look through for those that were asked for; it then says where to go on.
    static let maximumScanned = 5_000
    /// An answer is closed once it is longer than this, in bytes, so that it stays below the limit of a reply.
    static let maximumBytes = 200 * 1_024
    private static let maximumLimit = 200
    private static let chunk = 500

    private let database: PostgresClient

    package init(database: PostgresClient) {
        self.database = database
    }

    /// `audit.entries.list`: the newest entries first, with the exact bytes of each.
    ///
    /// A page with a cursor may hold fewer items than asked for, none included, where few of the entries match.
    package func list(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let filter = EntryFilter(body.root)
        let limit = min(max(body.root["limit"]?.int64Value ?? 50, 1), Int64(Self.maximumLimit))
        var page = EntryPage(limit: Int(limit), maximumBytes: Self.maximumBytes)
        var position = try Self.position(body.root["cursor"])
        let chunk = filter.isEmpty ? page.limit + 1 : Self.chunk
        var scanned = 0
        while true {
            let rows = try await rows(of: context.tenant, before: position, limit: chunk, deadline: context.deadline)
            for row in rows {
                guard !page.isFull else {
                    return Reply(body: page.body(next: position))
                }
                position = try row.decode(0)
                let canonical: [UInt8] = try row.decode(2)
                if filter.matches(canonical) {
                    page.add(index: try row.decode(1), hash: try row.decode(3), canonical: canonical)
                }
            }
            scanned += rows.count
            guard rows.count == chunk else {
                return Reply(body: page.body(next: nil))
            }
            guard scanned < Self.maximumScanned else {
                return Reply(body: page.body(next: position))
            }
        }
    }

    private func rows(
        of tenant: String,
        before position: UUID,
        limit: Int,
        deadline: ContinuousClock.Instant
    ) async throws -> PostgresRows {
        try await database.page(
            PostgresStatement(
                """
                SELECT entry_id, leaf_index, canonical, leaf_hash FROM audit.entries
                WHERE tenant = $1 AND entry_id < $2
                ORDER BY entry_id DESC LIMIT $3
                """,
                [.text(tenant), .uuid(position), .int(limit)],
                isReadOnly: true
            ),
            deadline: deadline
        )
    }

    /// The id that a page begins below; without a cursor the greatest there is.
    private static func position(_ cursor: JSONView?) throws(Problem) -> UUID {
        guard let cursor, !cursor.isNull else {
            let all = UInt8.max
            return UUID(uuid: (all, all, all, all, all, all, all, all, all, all, all, all, all, all, all, all))
        }
        guard let id = cursor.stringValue.flatMap(UUID.init(uuidString:)) else {
            throw Problem(.invalidCursor)
        }
        return id
    }
}

/// Which entries are asked for.
struct EntryFilter: Sendable {
    let objectType: String?
    let objectID: String?
    let action: String?

    init(_ body: JSONView) {
        objectType = body["object_type"]?.stringValue
        objectID = body["object_id"]?.stringValue
        action = body["action"]?.stringValue
    }

    /// Whether every entry is asked for.
    var isEmpty: Bool { objectType == nil && objectID == nil && action == nil }

    /// Whether an entry is asked for.
    func matches(_ canonical: [UInt8]) -> Bool {
        guard !isEmpty else {
            return true
        }
        guard let root = try? JSONDocument(parsing: canonical, limits: .wrapped).root else {
            return false
        }
        func agrees(_ view: JSONView?, _ wanted: String?) -> Bool { wanted.map { view?.isString($0) ?? false } ?? true }
        return agrees(root["action"], action) && agrees(root["object"]?["type"], objectType)
            && agrees(root["object"]?["id"], objectID)
    }
}

/// An answer that is being written: `{"items": [{"leaf_index", "leaf_hash", "entry"}], "next"}`.
private struct EntryPage {
    let limit: Int
    private let maximumBytes: Int
    private var count = 0
    private var writer = JSONWriter(capacity: 16 * 1_024)

    init(limit: Int, maximumBytes: Int) {
        self.limit = limit
        self.maximumBytes = maximumBytes
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
    }

    var isFull: Bool { count >= limit || writer.bytes.count >= maximumBytes }

    mutating func add(index: Int64, hash: [UInt8], canonical: [UInt8]) {
        count += 1
        writer.beginObject()
        writer.member("leaf_index", index)
        writer.member("leaf_hash", hash.hex)
        writer.member("entry", raw: canonical)
        writer.endObject()
    }

    func body(next: UUID?) -> [UInt8] {
        var writer = writer
        writer.endArray()
        writer.member("next", next?.uuidString.lowercased())
        writer.endObject()
        return writer.bytes
    }
}
