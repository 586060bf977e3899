import Contracts
import Domain
import FoundationEssentials
package import JSON
package import Messaging
package import Persistence

/// Reads the log for clients.
package struct EntryReader: Sendable {
    /// An answer is closed once it is longer than this, in bytes, so that it stays below the limit of a reply.
    static let maximumBytes = 200 * 1_024
    private static let maximumLimit = 200

    private let database: PostgresClient
    private let accesses: LogAccesses
    private let window: Int

    /// - Parameters:
    ///   - database: Logged in as the service.
    ///   - accesses: Records what is read.
    ///   - window: How many entries one page looks through, where no index tells them from others.
    package init(database: PostgresClient, accesses: LogAccesses, window: Int = 10_000) {
        self.database = database
        self.accesses = accesses
        self.window = window
    }

    /// `audit.entries.list`: the newest entries first, with the exact bytes of each.
    package func list(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let filter = EntryFilter(body.root)
        var page = EntryPage(limit: Self.limit(body.root["limit"]), maximumBytes: Self.maximumBytes)
        let tenant = try ReadTenant(body.root["tenant"], context)
        let found = try await find(
            filter,
            of: tenant,
            before: try Self.position(body.root["cursor"]),
            limit: page.limit + 1,
            deadline: context.deadline
        )
        try await accesses.record("audit.query", try filter.auditValue(of: tenant.recorded(context)), context)
        var last: UUID?
        for row in found.rows {
            guard !page.isFull else {
                return Reply(body: page.body(next: last))
            }
            last = try row.decode(0)
            page.add(index: try row.decode(1), hash: try row.decode(3), canonical: try row.decode(2))
        }
        return Reply(body: page.body(next: found.end))
    }

    /// Entries that were found.
    struct Found {
        /// Newest first: id, index, bytes, leaf hash.
        let rows: PostgresRows
        /// The id below which the search goes on, where it has ended before there were as many as were asked for.
        let end: UUID?
    }

    /// Finds entries, newest first.
    ///
    /// Where no index tells the entries that are asked for from others, only so many are looked through at once.
    ///
    /// - Parameters:
    ///   - filter: What they are narrowed to.
    ///   - tenant: Whose they are.
    ///   - position: The id that they are below.
    ///   - size: The size of the log that holds them; nil for the log as it is.
    ///   - limit: How many there are at most.
    ///   - deadline: When nobody waits for them any more.
    /// - Returns: The entries, and where to go on.
    /// - Throws: `PostgresError`.
    func find(
        _ filter: EntryFilter,
        of tenant: ReadTenant,
        before position: UUID,
        in size: Int64? = nil,
        limit: Int,
        deadline: ContinuousClock.Instant
    ) async throws -> Found {
        let search = try await search(filter, of: tenant, before: position, in: size, deadline: deadline)
        // Entries of one trace are few and found in no order, so that they have to be sorted.
        let rows =
            filter.traceID == nil
            ? try await database.page(search.page(limit), deadline: deadline)
            : try await database.execute(search.page(limit), deadline: deadline)
        guard !search.isServed, rows.count < limit else {
            return Found(rows: rows, end: nil)
        }
        let end = try await database.page(search.lastOfWindow, deadline: deadline)
        return Found(rows: rows, end: try end.first?.decode(0))
    }

    /// A search whose statements all see the same entries, whatever is appended between them.
    ///
    /// Ids are no bound for that, since they are of the clocks of many producers.
    func search(
        _ filter: EntryFilter,
        of tenant: ReadTenant,
        before position: UUID,
        in size: Int64? = nil,
        deadline: ContinuousClock.Instant
    ) async throws -> EntrySearch {
        let search = EntrySearch(filter, of: tenant, before: position, in: size, window: window)
        guard size == nil, !search.isServed else {
            return search
        }
        let head = try await database.execute(
            PostgresStatement("SELECT size FROM audit.head", isReadOnly: true),
            deadline: deadline
        )
        let whole = try head.first?.decode(0, as: Int64.self)
        return EntrySearch(filter, of: tenant, before: position, in: whole, window: window)
    }

    /// How many entries a page is to have.
    static func limit(_ asked: JSONView?) -> Int {
        Int(min(max(asked?.int64Value ?? 50, 1), Int64(maximumLimit)))
    }

    /// The greatest id there is.
    static let end: UUID = {
        let all = UInt8.max
        return UUID(uuid: (all, all, all, all, all, all, all, all, all, all, all, all, all, all, all, all))
    }()

    /// The id that a page begins below; without a cursor the greatest there is.
    static func position(_ cursor: JSONView?) throws(Problem) -> UUID {
        guard let cursor, !cursor.isNull else {
            return end
        }
        guard let id = cursor.stringValue.flatMap(UUID.init(uuidString:)) else {
            throw Problem(.invalidCursor)
        }
        return id
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
