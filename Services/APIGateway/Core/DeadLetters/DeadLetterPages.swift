import Contracts
import FoundationEssentials
import JSON

/// Pages of several services' dead letters, merged into one.
///
/// Every service is asked for the same number of letters after the same cursor, and a cursor is a time and an id: so the
/// newest of all that they answer are the merged page, and its last letter's cursor is where every service goes on.
struct DeadLetterPages {
    private struct Item {
        let cursor: DeadLetterCursor
        let bytes: ArraySlice<UInt8>
    }

    private let limit: Int
    private var items: [Item] = []
    private var hasMore = false

    init(limit: Int) {
        self.limit = limit
    }

    /// Adds a service's page; a problem where it is none.
    mutating func add(_ page: JSONView) throws {
        guard let letters = page["items"], letters.kind == .array else {
            throw GatewayProblem(.internalError)
        }
        for letter in letters.elements {
            guard let time = letter["received_at"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
                let id = letter["id"]?.stringValue.flatMap({ UUID(uuidString: $0) })
            else {
                throw GatewayProblem(.internalError)
            }
            items.append(Item(cursor: DeadLetterCursor(receivedAt: time, id: id), bytes: letter.rawBytes))
        }
        hasMore = hasMore || page["next"]?.stringValue != nil
    }

    /// The newest letters, as the body of an answer, and the cursor of the next page where there is one.
    var page: (body: [UInt8], next: String?) {
        let sorted = items.sorted {
            ($0.cursor.receivedAt.microseconds, $0.cursor.id) > ($1.cursor.receivedAt.microseconds, $1.cursor.id)
        }
        let shown = sorted.prefix(limit)
        let next = hasMore || sorted.count > limit ? shown.last?.cursor.text : nil
        var writer = JSONWriter(capacity: shown.reduce(64) { $0 + $1.bytes.count + 1 })
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for item in shown {
            writer.raw(item.bytes)
        }
        writer.endArray()
        writer.member("next", next)
        writer.endObject()
        return (writer.bytes, next)
    }
}
