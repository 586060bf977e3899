/// A value in a message's headers or in the arguments of a declaration.
package indirect enum HeaderValue: Sendable, Equatable {
    case string(String)
    case int64(Int64)
    case bool(Bool)
    case double(Double)
    case bytes([UInt8])
    /// Seconds since 1970.
    case timestamp(Int64)
    case array([HeaderValue])
    case table([String: HeaderValue])
    case void

    /// The text of a string value.
    package var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The number of an integer value.
    package var intValue: Int? {
        guard case .int64(let value) = self else { return nil }
        return Int(exactly: value)
    }

    /// The truth of a boolean value.
    package var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }
}

extension HeaderValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int64(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension HeaderValue {
    /// About how many bytes the value takes on the wire; never less than it really does.
    var encodedSize: Int {
        switch self {
        case .void, .bool: 2
        case .int64, .double, .timestamp: 9
        case .string(let text): 5 + text.utf8.count
        case .bytes(let bytes): 5 + bytes.count
        case .array(let values): values.reduce(5) { $0 + $1.encodedSize }
        case .table(let table): table.reduce(5) { $0 + 1 + $1.key.utf8.count + $1.value.encodedSize }
        }
    }

    /// How many levels of arrays and tables stand in one another.
    var depth: Int {
        switch self {
        case .array(let values): 1 + (values.map(\.depth).max() ?? 0)
        case .table(let table): 1 + (table.values.map(\.depth).max() ?? 0)
        case .void, .bool, .int64, .double, .timestamp, .string, .bytes: 0
        }
    }

    /// Whether every key of every table in the value fits the protocol's short string.
    var hasEncodableKeys: Bool {
        switch self {
        case .array(let values): values.allSatisfy(\.hasEncodableKeys)
        case .table(let table): table.allSatisfy { $0.key.utf8.count <= 128 && $0.value.hasEncodableKeys }
        case .void, .bool, .int64, .double, .timestamp, .string, .bytes: true
        }
    }
}
