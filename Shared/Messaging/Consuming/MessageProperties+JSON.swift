package import Contracts
import JSON
package import RabbitMQ

/// Properties and headers as JSON: for people, and so exact that the message can be processed once more.
///
/// Texts, whole numbers, truth values, arrays and tables stand as JSON has them. What JSON has no form for is an object of
/// one member: `{"$double": "0.5"}`, `{"$bytes": base64}`, `{"$timestamp": seconds}`; a table that could be taken for one
/// of these stands as `{"$table": {…}}`.
extension MessageProperties {
    /// All properties and headers.
    package var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, text) in [
            ("app_id", appID), ("content_encoding", contentEncoding), ("content_type", contentType),
            ("correlation_id", correlationID), ("expiration", expiration),
        ] {
            writer.present(name, text)
        }
        writer.key("headers")
        writer.table(headers)
        writer.present("message_id", messageID)
        writer.member("persistent", isPersistent)
        writer.present("reply_to", replyTo)
        if let timestamp { writer.member("timestamp", timestamp) }
        writer.present("type", type)
        writer.present("user_id", userID)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Reads what `json` has written; of an earlier release's form it makes what can be told.
    ///
    /// - Throws: `ContractError` with code `badHeader` where the text is no JSON object.
    package init(json: String) throws(ContractError) {
        let root: JSONView
        do {
            root = try JSONDocument(parsing: json, limits: JSONLimits(maximumDepth: JSONLimits.deepest)).root
        } catch {
            throw ContractError(.badHeader, "the stored properties are not JSON: \(error)")
        }
        guard root.kind == .object else {
            throw ContractError(.badHeader, "the stored properties are no JSON object")
        }
        self.init(
            contentType: root["content_type"]?.stringValue,
            messageID: root["message_id"]?.stringValue,
            correlationID: root["correlation_id"]?.stringValue,
            type: root["type"]?.stringValue,
            headers: root["headers"].map(HeaderValue.table) ?? [:]
        )
        contentEncoding = root["content_encoding"]?.stringValue
        isPersistent = root["persistent"]?.boolValue ?? true
        replyTo = root["reply_to"]?.stringValue
        timestamp = root["timestamp"]?.int64Value
        expiration = root["expiration"]?.stringValue
        appID = root["app_id"]?.stringValue
        userID = root["user_id"]?.stringValue
    }
}

extension JSONWriter {
    fileprivate mutating func present(_ name: String, _ text: String?) {
        if let text { member(name, text) }
    }

    fileprivate mutating func table(_ table: [String: HeaderValue]) {
        beginObject()
        for (name, value) in table.sorted(by: { $0.key < $1.key }) {
            key(name)
            header(value)
        }
        endObject()
    }

    /// Recursive: the client that read the headers has bounded their depth.
    private mutating func header(_ value: HeaderValue) {
        switch value {
        case .string(let text): string(text)
        case .int64(let value): number(value)
        case .bool(let value): bool(value)
        case .void: null()
        case .double(let value): tagged(.double) { $0.string("\(value)") }
        case .bytes(let bytes): tagged(.bytes) { $0.string(Base64Text.encode(bytes)) }
        case .timestamp(let seconds): tagged(.timestamp) { $0.number(seconds) }
        case .array(let values):
            beginArray()
            for value in values { header(value) }
            endArray()
        case .table(let table):
            guard table.count == 1, let name = table.keys.first, HeaderTag(rawValue: name) != nil else {
                return self.table(table)
            }
            tagged(.table) { $0.table(table) }
        }
    }

    private mutating func tagged(_ tag: HeaderTag, _ write: (inout JSONWriter) -> Void) {
        beginObject()
        key(tag.rawValue)
        write(&self)
        endObject()
    }
}

/// What the one member of an object is called that stands for a value which JSON does not have.
private enum HeaderTag: String {
    case double = "$double"
    case bytes = "$bytes"
    case timestamp = "$timestamp"
    case table = "$table"
}

extension HeaderValue {
    fileprivate static func table(_ view: JSONView) -> [String: HeaderValue] {
        Dictionary(view.members.map { ($0.key, HeaderValue($0.value)) }, uniquingKeysWith: { $1 })
    }

    /// Recursive: the depth is bounded by the limits with which the document was read.
    private init(_ view: JSONView) {
        switch view.kind {
        case .null: self = .void
        case .bool: self = .bool(view.boolValue ?? false)
        case .string: self = .string(view.stringValue ?? "")
        case .number: self = view.int64Value.map { .int64($0) } ?? .double(view.doubleValue ?? .infinity)
        case .array: self = .array(view.elements.map { HeaderValue($0) })
        case .object: self = Self.tagged(view) ?? .table(Self.table(view))
        }
    }

    private static func tagged(_ view: JSONView) -> HeaderValue? {
        guard view.count == 1, let member = view.members.first(where: { _ in true }),
            let tag = HeaderTag(rawValue: member.key)
        else {
            return nil
        }
        let value = member.value
        return switch tag {
        case .double: value.stringValue.flatMap { Double($0) }.map { .double($0) }
        case .bytes: value.stringValue.flatMap { Base64Text.decode($0) }.map { .bytes($0) }
        case .timestamp: value.int64Value.map { .timestamp($0) }
        case .table: value.kind == .object ? .table(table(value)) : nil
        }
    }
}
