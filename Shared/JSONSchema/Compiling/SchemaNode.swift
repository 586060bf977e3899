import JSON

/// One compiled subschema.
///
/// It is an object so that its many rules are read in place: copies of them would fill the stack of a deep validation.
final class SchemaNode: Sendable {
    let rules: SchemaRules

    init(_ rules: SchemaRules) { self.rules = rules }
}

/// What a subschema demands; others are named by their index.
struct SchemaRules: Sendable {
    /// The keyword that holds this schema, where it is `false`.
    var forbiddenBy: SchemaKeyword?

    /// Nil where every type is allowed.
    var kinds: SchemaKinds?
    var allowed: SchemaValues?
    var constant: SchemaValues?
    var numbers: NumberRules?
    var strings: StringRules?
    var arrays: ArrayRules?
    var objects: ObjectRules?
    var branches: SchemaBranches?
    var reference: Int?

    /// Whether it may be applied to one value several times, so that remembering the outcome is worth while.
    var isShared = false

    /// Whether it says that its values are personal.
    var isPersonal = false

    /// `default`, and then all `examples`.
    var examples: [JSONView] = []

    /// The schemas that apply to the same value as this one.
    var inPlace: [Int] {
        var schemas = reference.map { [$0] } ?? []
        if let branches {
            schemas += branches.allOf + branches.anyOf + branches.oneOf
            schemas += [branches.not, branches.condition, branches.then, branches.otherwise].compactMap { $0 }
        }
        if let objects { schemas += objects.names.compactMap(\.dependentSchema) }
        return schemas
    }
}

/// The values of `enum` or `const`.
struct SchemaValues: Sendable {
    let views: [JSONView]

    /// The values' ``SchemaValueKey``s.
    let keys: Set<[UInt8]>

    /// The types among the values.
    let kinds: SchemaKinds

    init(_ views: [JSONView]) {
        self.views = views
        keys = Set(views.map { SchemaValueKey.bytes(of: $0) })
        kinds = views.reduce(into: []) { $0.insert(SchemaKinds($1.kind)) }
    }
}

/// What a number must be.
struct NumberRules: Sendable {
    var minimum: SchemaDecimal?
    var maximum: SchemaDecimal?
    var exclusiveMinimum: SchemaDecimal?
    var exclusiveMaximum: SchemaDecimal?
    var divisor: (value: SchemaDecimal, divisor: SchemaDivisor)?
}

/// What a string must be; lengths are in Unicode scalars.
struct StringRules: Sendable {
    var minimum: Int?
    var maximum: Int?
    var pattern: SchemaPattern?
    var format: StringFormat?
}

/// A regular expression with its text.
struct SchemaPattern: Sendable {
    let source: String
    let regex: LinearRegex
}

/// What an array must be.
struct ArrayRules: Sendable {
    var prefix: [Int] = []
    var items: Int?
    var contains: Int?
    var minimumContained: Int?
    var maximumContained: Int?
    var minimum: Int?
    var maximum: Int?
    var isUnique = false

    /// The schema of the element at a position, if there is one.
    func schema(at position: Int) -> Int? { position < prefix.count ? prefix[position] : items }
}

/// What an object must be.
struct ObjectRules: Sendable {
    /// A name that the schema speaks of.
    struct Name: Sendable {
        let utf8: [UInt8]
        var schema: Int?
        var isRequired = false
        /// The names, by index, that must be there where this one is.
        var dependents: [Int] = []
        /// The schema that the object must meet where this name is there.
        var dependentSchema: Int?

        var text: String { String(decoding: utf8, as: UTF8.self) }
    }

    /// The names in the order of the schema.
    private(set) var names: [Name] = []

    /// Where each name stands in ``names``; by bytes, as Swift calls canonically equivalent strings equal.
    private(set) var indexes: [[UInt8]: Int] = [:]

    var patterns: [(pattern: SchemaPattern, schema: Int)] = []
    var additional: Int?
    var nameSchema: Int?
    var minimum: Int?
    var maximum: Int?

    /// Changes what is said of a name.
    mutating func update(_ name: [UInt8], _ change: (inout Name) -> Void) {
        let index = index(of: name)
        change(&names[index])
    }

    /// The index of a name, which is added where it is new.
    mutating func index(of name: [UInt8]) -> Int {
        if let index = indexes[name] { return index }
        names.append(Name(utf8: name))
        indexes[name] = names.count - 1
        return names.count - 1
    }
}

/// The schemas that apply to the same value.
struct SchemaBranches: Sendable {
    var allOf: [Int] = []
    var anyOf: [Int] = []
    var oneOf: [Int] = []
    var not: Int?
    var condition: Int?
    var then: Int?
    var otherwise: Int?
}
