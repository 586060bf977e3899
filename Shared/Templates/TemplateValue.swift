import JSON

/// A value on its way through an expression.
enum TemplateValue: Sendable {
    /// A path leads to nothing, or a list has no such element.
    case missing
    case null
    case bool(Bool)
    case number(JSONNumber)
    case text(String)
    case texts([String])
    /// A value of the context, read where it stands.
    case json(JSONView)

    /// The kind of JSON value, or nil where there is none.
    var kind: JSONKind? {
        switch self {
        case .missing: nil
        case .null: .null
        case .bool: .bool
        case .number: .number
        case .text: .string
        case .texts: .array
        case .json(let view): view.kind
        }
    }

    /// Whether ``TemplateFunction/default`` steps in.
    var isAbsent: Bool { kind == nil || kind == .null }

    /// About the bytes that a function reads, so that its work can be bounded.
    var size: Int {
        switch self {
        case .missing, .null, .bool: 4
        case .number(let number): number.text.utf8.count
        case .text(let text): text.utf8.count
        case .texts(let texts): texts.reduce(2) { $0 + $1.utf8.count + 3 }
        case .json(let view): view.byteRange.count
        }
    }

    /// The number of containers within one another; 0 where there are surely no more than a number of them.
    func depth(ifOver depth: Int) -> Int {
        switch self {
        case .missing, .null, .bool, .number, .text: 0
        case .texts: 1
        // Every level takes two bytes at least.
        case .json(let view):
            view.byteRange.count / 2 <= depth ? 0 : view.withRawBytes { JSONBytes.depth(of: $0) }
        }
    }

    /// The text of a string; nil for another kind.
    var string: String? {
        switch self {
        case .text(let text): text
        case .json(let view): view.stringValue
        case .missing, .null, .bool, .number, .texts: nil
        }
    }
}

// MARK: - Writing

extension TemplateValue {
    /// Appends the value as JSON.
    func append(to output: inout [UInt8]) {
        switch self {
        case .missing, .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let number): output.append(contentsOf: number.text.utf8)
        case .text(let text):
            output.append(UInt8(ascii: "\""))
            JSONBytes.append(escaped: text, to: &output)
            output.append(UInt8(ascii: "\""))
        case .texts(let texts):
            var writer = JSONWriter(capacity: size)
            writer.beginArray()
            for text in texts { writer.string(text) }
            writer.endArray()
            output.append(contentsOf: writer.bytes)
        case .json(let view):
            view.withRawBytes { output.append(contentsOf: $0) }
        }
    }

    /// Appends the value's text, escaped so that it can stand within a JSON string's quotes.
    func append(escapedTextTo output: inout [UInt8]) {
        guard case .json(let view) = self else {
            return JSONBytes.append(escaped: plainText, to: &output)
        }
        switch view.kind {
        case .null: break
        case .bool, .number: view.withRawBytes { output.append(contentsOf: $0) }
        // What stands between a string's quotes is escaped already.
        case .string: view.withRawBytes { output.append(contentsOf: $0.dropFirst().dropLast()) }
        case .array, .object: JSONBytes.append(escaped: plainText, to: &output)
        }
    }

    /// The value as it stands in a text: a string as it is, null as nothing, anything else as compact JSON.
    var plainText: String {
        switch self {
        case .missing, .null: return ""
        case .text(let text): return text
        case .bool, .number, .texts: return compactJSON
        case .json(let view):
            switch view.kind {
            case .null: return ""
            case .string: return view.stringValue ?? ""
            case .bool, .number, .array, .object: return compactJSON
            }
        }
    }

    /// The value as JSON without white space, its members in their order and its numbers as they were written.
    var compactJSON: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        if case .json(let view) = self {
            view.withRawBytes { JSONBytes.append(compacting: $0, to: &bytes) }
        } else {
            append(to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
