import Contracts
import Domain
import FoundationEssentials
package import JSON
package import Messaging
package import Persistence

/// Tells how one object came to be what it is.
package struct HistoryRequests: Sendable {
    private static let limits = 1...100
    /// How many bytes of kept values one page looks at; those of one entry are looked at in any case.
    private static let maximumKept = 2 << 20

    private let reader: EntryReader
    private let kept: KeptBodyRepository
    private let accesses: LogAccesses

    package init(database: PostgresClient, accesses: LogAccesses) {
        reader = EntryReader(database: database, accesses: accesses)
        kept = KeptBodyRepository(database: database)
        self.accesses = accesses
    }

    /// `audit.objects.history`: the entries of one object, newest first, each with what it has changed.
    ///
    /// A value that is kept beside the log is looked up, so that its differences can be told; one that was erased, or has not
    /// come yet, is said to be.
    package func history(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        var filter = EntryFilter(body.root)
        guard let type = filter.objectType, let id = filter.objectID else {
            throw Problem(.invalidRequest, "object_type and object_id are needed.")
        }
        filter = EntryFilter(objectType: type, objectID: id)
        let asked = try ReadTenant(body.root["tenant"], context)
        guard let tenant = asked.key else {
            throw Problem(.invalidRequest, "A history is that of one tenant's object.")
        }
        let limit = Int(min(max(body.root["limit"]?.int64Value ?? 50, 1), Int64(Self.limits.upperBound)))
        let found = try await reader.find(
            filter,
            of: asked,
            before: try EntryReader.position(body.root["cursor"]),
            limit: limit + 1,
            deadline: context.deadline
        )
        try await accesses.record("audit.query", try filter.auditValue(of: asked.recorded(context)), context)
        let entries = try found.rows.map { row in
            LoggedEntry(
                id: try row.decode(0),
                index: try row.decode(1),
                document: try JSONDocument(parsing: try row.decode(2, as: [UInt8].self), limits: .wrapped)
            )
        }
        let shown = Self.affordable(entries.prefix(limit))
        let bodies = try await kept.bodies(
            shown.filter { !$0.isLarge }.flatMap { $0.kept.map(\.hash) },
            of: tenant,
            deadline: context.deadline
        )
        return Reply(body: Self.page(shown, of: entries, bodies, end: found.end))
    }

    /// As many of the first entries as have few enough kept values to be looked at together.
    private static func affordable(_ entries: ArraySlice<LoggedEntry>) -> ArraySlice<LoggedEntry> {
        var bytes: Int64 = 0
        let count = entries.prefix { entry in
            bytes += entry.isLarge ? 0 : entry.kept.reduce(0) { $0 + $1.bytes }
            return bytes <= maximumKept
        }.count
        return entries.prefix(max(count, 1))
    }

    private static func page(
        _ shown: ArraySlice<LoggedEntry>,
        of entries: [LoggedEntry],
        _ bodies: KeptBodies,
        end: UUID?
    ) -> [UInt8] {
        var items: [(entry: LoggedEntry, item: [UInt8])] = []
        var size = 0
        for entry in shown {
            let item = entry.item(bodies)
            guard items.isEmpty || size + item.count <= EntryReader.maximumBytes else {
                break
            }
            size += item.count
            items.append((entry, item))
        }
        let last = items.last?.entry.id
        var writer = JSONWriter(capacity: size + 1_024)
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        // Ids tell the order by milliseconds, the entries by microseconds.
        for item in items.sorted(by: { ($0.entry.time, $0.entry.index) > ($1.entry.time, $1.entry.index) }) {
            writer.raw(item.item)
        }
        writer.endArray()
        writer.member("next", (last == entries.last?.id ? end : last)?.lowercased)
        writer.endObject()
        return writer.bytes
    }
}

/// An entry of an object's history.
private struct LoggedEntry {
    let id: UUID
    let index: Int64
    let document: JSONDocument

    /// When the change was made; texts of one form, which sort as times do.
    var time: String { document.root["time"]?.stringValue ?? "" }

    /// A value of more bytes is not looked at.
    private static let maximumValue: Int64 = 256 * 1_024
    /// Differences that take more bytes are not told.
    private static let maximumItem = 64 * 1_024

    /// What stands beside the log of its values.
    let kept: [(hash: [UInt8], bytes: Int64)]

    init(id: UUID, index: Int64, document: JSONDocument) {
        self.id = id
        self.index = index
        self.document = document
        kept = ["before", "after"].flatMap { document.root[$0].map(KeptReference.all) ?? [] }
    }

    /// Whether one of its values is too large to be looked at.
    var isLarge: Bool { kept.contains { $0.bytes > Self.maximumValue } }

    /// The entry as an item of the history: with its differences, or with its values as they stand in the log where these
    /// are too many.
    func item(_ bodies: KeptBodies) -> [UInt8] {
        guard !isLarge else {
            return item(values: nil)
        }
        let item = item(values: ["before", "after"].map { name in Value(document.root[name], bodies) })
        return item.count <= Self.maximumItem ? item : self.item(values: nil)
    }

    private func item(values: [Value]?) -> [UInt8] {
        let root = document.root
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("leaf_index", index)
        for name in ["time", "actor", "action", "outcome", "reason", "request_id", "trace_id"] {
            if let value = root[name] { writer.member(name, raw: Array(value.rawBytes)) }
        }
        if let version = root["object"]?["version"] { writer.member("version", raw: Array(version.rawBytes)) }
        if let values {
            Self.write(values, to: &writer)
        } else {
            for name in ["before", "after"] {
                if let value = root[name] { writer.member(name, raw: Array(value.rawBytes)) }
            }
        }
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ values: [Value], to writer: inout JSONWriter) {
        if values.contains(where: \.isErased) {
            writer.member("erased", true)
        }
        if values.contains(where: \.isPending) {
            writer.member("pending", true)
        }
        writer.key("changes")
        writer.beginArray()
        if let before = values[0].view, let after = values[1].view {
            for difference in before.differences(to: after) {
                writer.beginObject()
                writer.member("pointer", difference.pointer.text)
                if let value = difference.before { writer.member("before", raw: Array(value.rawBytes)) }
                if let value = difference.after { writer.member("after", raw: Array(value.rawBytes)) }
                writer.endObject()
            }
        }
        writer.endArray()
    }

    /// A value of an entry, out of the entry or from beside the log.
    private struct Value {
        /// Nil where it is not there as a whole.
        let view: JSONView?
        /// Whether it was erased, or something in it.
        let isErased: Bool
        /// Whether it has not come yet, or something in it.
        let isPending: Bool

        init(_ stored: JSONView?, _ bodies: KeptBodies) {
            guard let stored, let restored = KeptReference.restored(stored, from: bodies.there) else {
                view = stored
                isErased = false
                isPending = false
                return
            }
            let bytes = try? restored.value.canonicalBytes()
            let document = bytes.flatMap { try? JSONDocument(parsing: $0, limits: .wrapped) }
            let isGone = !restored.isWhole && KeptReference.hash(stored) != nil
            view = isGone ? nil : document?.root
            let lacking = KeptReference.all(in: stored).map(\.hash).filter { bodies.there[$0] == nil }
            isErased = lacking.contains(where: bodies.erased.contains)
            isPending = lacking.contains { !bodies.erased.contains($0) }
        }
    }
}
