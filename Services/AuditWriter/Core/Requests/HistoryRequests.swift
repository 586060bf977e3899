import Contracts
import Domain
import FoundationEssentials
package import JSON
package import Messaging
package import Persistence

/// Tells how one object came to be what it is.
package struct HistoryRequests: Sendable {
    private static let limits = 1...100

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
    /// A value that is kept beside the log is looked up, so that its differences can be told; one that was erased is said
    /// to be.
    package func history(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        var filter = EntryFilter(body.root)
        guard let type = filter.objectType, let id = filter.objectID else {
            throw Problem(.invalidRequest, "object_type and object_id are needed.")
        }
        filter = EntryFilter(objectType: type, objectID: id)
        let limit = Int(min(max(body.root["limit"]?.int64Value ?? 50, 1), Int64(Self.limits.upperBound)))
        let found = try await reader.find(
            filter,
            of: context.tenant,
            before: try EntryReader.position(body.root["cursor"]),
            limit: limit + 1,
            deadline: context.deadline
        )
        try await accesses.record("audit.query", try filter.auditValue(), context)
        let entries = try found.rows.map { row in
            LoggedEntry(
                id: try row.decode(0),
                index: try row.decode(1),
                document: try JSONDocument(parsing: try row.decode(2, as: [UInt8].self), limits: .wrapped)
            )
        }
        let bodies = try await kept.bodies(
            entries.prefix(limit).flatMap(\.keptHashes),
            of: context.tenant,
            deadline: context.deadline
        )
        return Reply(body: try Self.page(entries, limit, bodies, end: found.end))
    }

    private static func page(
        _ entries: [LoggedEntry],
        _ limit: Int,
        _ bodies: [[UInt8]: [UInt8]],
        end: UUID?
    ) throws -> [UInt8] {
        var writer = JSONWriter(capacity: 16 * 1_024)
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        var last: UUID?
        var shown: [LoggedEntry] = []
        var size = 0
        for entry in entries.prefix(limit) {
            guard last == nil || size < EntryReader.maximumBytes else {
                break
            }
            size += entry.size(bodies)
            shown.append(entry)
            last = entry.id
        }
        // Ids tell the order by milliseconds, the entries by microseconds.
        for entry in shown.sorted(by: { ($0.time, $0.index) > ($1.time, $1.index) }) {
            entry.write(to: &writer, bodies)
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

    /// How long the entry is with the values that stand beside the log, about, in bytes.
    func size(_ bodies: [[UInt8]: [UInt8]]) -> Int {
        document.bytes.count + keptHashes.reduce(0) { $0 + (bodies[$1]?.count ?? 0) }
    }

    /// What stands beside the log of its values.
    var keptHashes: [[UInt8]] {
        ["before", "after"].flatMap { document.root[$0].map(KeptReference.hashes) ?? [] }
    }

    func write(to writer: inout JSONWriter, _ bodies: [[UInt8]: [UInt8]]) {
        let root = document.root
        writer.beginObject()
        writer.member("leaf_index", index)
        for name in ["time", "actor", "action", "outcome", "reason", "request_id", "trace_id"] {
            if let value = root[name] { writer.member(name, raw: Array(value.rawBytes)) }
        }
        if let version = root["object"]?["version"] { writer.member("version", raw: Array(version.rawBytes)) }
        let values = ["before", "after"].map { name in Value(root[name], bodies) }
        if values.contains(where: \.isErased) {
            writer.member("erased", true)
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
        writer.endObject()
    }

    /// A value of an entry, out of the entry or from beside the log.
    private struct Value {
        /// Nil where it has gone as a whole.
        let view: JSONView?
        /// Whether it is not there any more, or something in it.
        let isErased: Bool

        init(_ stored: JSONView?, _ bodies: [[UInt8]: [UInt8]]) {
            guard let stored, let restored = KeptReference.restored(stored, from: bodies) else {
                view = stored
                isErased = false
                return
            }
            let bytes = try? restored.value.canonicalBytes()
            let document = bytes.flatMap { try? JSONDocument(parsing: $0, limits: .wrapped) }
            let isGone = !restored.isWhole && KeptReference.hash(stored) != nil
            view = isGone ? nil : document?.root
            isErased = !restored.isWhole || document == nil
        }
    }
}
