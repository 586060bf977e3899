import JSON

/// A set of the types that `type` names.
struct SchemaKinds: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ kind: JSONKind) { rawValue = 1 << kind.rawValue }

    static let null = SchemaKinds(JSONKind.null)
    static let boolean = SchemaKinds(JSONKind.bool)
    static let number = SchemaKinds(JSONKind.number)
    static let string = SchemaKinds(JSONKind.string)
    static let array = SchemaKinds(JSONKind.array)
    static let object = SchemaKinds(JSONKind.object)
    /// Numbers without a fraction.
    static let integer = SchemaKinds(rawValue: 1 << 6)

    /// The types by name, in the order in which messages list them.
    static let named: [(name: String, kinds: SchemaKinds)] = [
        ("object", .object), ("array", .array), ("string", .string), ("number", .number), ("integer", .integer),
        ("boolean", .boolean), ("null", .null),
    ]

    /// The type of a name; nil where there is none.
    init?(named name: String) {
        guard let found = Self.named.first(where: { $0.name == name }) else { return nil }
        self = found.kinds
    }

    /// Whether a value has one of the types.
    func allow(_ view: JSONView) -> Bool {
        if contains(SchemaKinds(view.kind)) { return true }
        return view.kind == .number && contains(.integer) && SchemaDecimal(view).isInteger
    }

    /// The types as a sentence names them: `a string, a number or null`.
    var wording: String {
        let words = Self.named.filter { contains($0.kinds) }.map { type in
            switch type.name {
            case "null": "null"
            case "object", "array", "integer": "an \(type.name)"
            default: "a \(type.name)"
            }
        }
        guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
