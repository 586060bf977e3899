import JSON

/// Some of the kinds of JSON value.
struct TemplateKinds: OptionSet {
    let rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ kind: JSONKind) { self.rawValue = 1 << kind.rawValue }

    static let null = TemplateKinds(.null)
    static let number = TemplateKinds(.number)
    static let string = TemplateKinds(.string)
    static let array = TemplateKinds(.array)
    static let object = TemplateKinds(.object)
    static let any: TemplateKinds = [null, TemplateKinds(.bool), number, string, array, object]

    /// The kinds for a sentence, such as `a string or an array`.
    var names: String {
        let kinds: [JSONKind] = [.null, .bool, .number, .string, .array, .object]
        return kinds.filter { contains(TemplateKinds($0)) }.map(\.withArticle).joined(separator: " or ")
    }
}

extension JSONKind {
    /// The kind for a sentence, such as `an array`.
    var withArticle: String {
        switch self {
        case .null: "null"
        case .bool, .number, .string: "a \(description)"
        case .array, .object: "an \(description)"
        }
    }
}
