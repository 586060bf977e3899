import JSON

extension SchemaValidator {
    /// Whether a value is a string that stands for any value.
    mutating func isUnknown(_ value: JSONView) throws(SchemaStop) -> Bool {
        guard let placeholder, value.kind == .string else { return false }
        try spend(value.byteRange.count / 4)
        return value.withStringUTF8 { $0.firstRange(of: placeholder) != nil } ?? false
    }

    /// Whether a value is, or holds anywhere, a string that stands for any value.
    mutating func holdsUnknown(_ value: JSONView) throws(SchemaStop) -> Bool {
        guard placeholder != nil else { return false }
        try spend(1)
        switch value.kind {
        case .null, .bool, .number: return false
        case .string: return try isUnknown(value)
        case .array:
            for element in value.elements where try holdsUnknown(element) { return true }
        case .object:
            for member in value.members where try holdsUnknown(member.value) { return true }
        }
        return false
    }

    /// Whether a value is valid under a schema in the opposite sense: must be, where it is asked what may be.
    mutating func holdsOtherwise(_ schema: Int, _ value: JSONView) throws(SchemaStop) -> Bool {
        areUnknownsValid.toggle()
        defer { areUnknownsValid.toggle() }
        return try holds(schema, value)
    }
}
