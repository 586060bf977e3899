import Contracts
import JSON

/// Which part of a list is asked for, and how the answer is written.
struct Page: Sendable {
    static let maximumLimit = 200

    let limit: Int
    /// Where the page before ended.
    let cursor: String?

    /// Reads `limit` and `cursor` from a request's body.
    init(_ body: JSONView) throws {
        limit = body["limit"]?.int64Value.map { Int(min(max($0, 1), Int64(Self.maximumLimit))) } ?? 50
        cursor = body["cursor"]?.stringValue
    }

    /// Writes the answer from one item more than the page holds, which tells whether there is another page.
    func answer<Item>(
        _ items: [Item],
        cursor: (Item) -> String,
        write: (Item, inout JSONWriter) -> Void
    ) -> [UInt8] {
        let page = items.prefix(limit)
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for item in page {
            write(item, &writer)
        }
        writer.endArray()
        writer.member("next", items.count > limit ? page.last.map(cursor) : nil)
        writer.endObject()
        return writer.bytes
    }
}
