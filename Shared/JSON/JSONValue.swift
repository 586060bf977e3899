/// A JSON value of its own, for what is not read lazily.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    /// Members in their order, each name once.
    case object([JSONMember])

    /// Validates and reads a document.
    package init(parsing bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONParsingError) {
        self = try JSONDocument(parsing: bytes, limits: limits).root.value
    }

    /// A whole number.
    package static func number(_ value: Int64) -> JSONValue {
        .number(JSONNumber(value))
    }

    /// The member of an object with this name, compared byte for byte.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else {
            return nil
        }
        return members.first { JSONOrder.areEqual($0.key, name) }?.value
    }

    /// An element of an array.
    package subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else {
            return nil
        }
        return elements[index]
    }

    package var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package var int64Value: Int64? {
        if case .number(let number) = self { number.int64Value } else { nil }
    }

    package var arrayValue: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var objectValue: [JSONMember]? {
        if case .object(let members) = self { members } else { nil }
    }
}

/// A member of an object.
package struct JSONMember: Sendable {
    package var key: String
    package var value: JSONValue

    package init(_ key: String, _ value: JSONValue) {
        self.key = key
        self.value = value
    }
}

extension JSONValue: Equatable {
    /// Whether two values have the same texts and the same spellings of numbers, and members in the same order.
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): JSONOrder.areEqual(left, right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        case (.null, _), (.bool, _), (.number, _), (.string, _), (.array, _), (.object, _): false
        }
    }
}

extension JSONMember: Equatable {
    /// Whether two members have the same name, byte for byte, and the same value.
    package static func == (left: JSONMember, right: JSONMember) -> Bool {
        JSONOrder.areEqual(left.key, right.key) && left.value == right.value
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral
{
    package init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(members.map { JSONMember($0.0, $0.1) })
    }

    package init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    package init(stringLiteral text: String) {
        self = .string(text)
    }

    package init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    package init(integerLiteral value: Int64) {
        self = .number(JSONNumber(value))
    }

    package init(nilLiteral: ()) {
        self = .null
    }
}

extension JSONView {
    /// The value, read whole.
    ///
    /// Recursive: the depth is bounded by the limits with which the document was validated.
    package var value: JSONValue {
        switch kind {
        case .null: .null
        case .bool: .bool(boolValue ?? false)
        case .number: .number(JSONNumber(validated: rawBytes))
        case .string: .string(stringValue ?? "")
        case .array: .array(elements.map(\.value))
        case .object: .object(members.map { JSONMember($0.key, $0.value.value) })
        }
    }
}
