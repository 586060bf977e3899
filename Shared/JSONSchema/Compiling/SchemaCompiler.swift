import JSON

/// Walks a schema once and gathers what it demands, and what is wrong with it.
struct SchemaCompiler {
    /// The root first, then the definitions, then all others.
    private(set) var schemas: [SchemaRules] = []
    private(set) var faults: [JSONSchemaFault] = []

    /// How many states the regular expressions may still have.
    var statesLeft = JSONSchemaLimits.maximumStates

    private let base: JSONPointer
    private var path: [Token] = []

    /// The definitions by name.
    private var definitions: [[UInt8]: Int] = [:]

    /// How many references lead to a schema.
    private var uses: [Int: Int] = [0: 1]

    /// Where each subschema is, from the one around it; written out they could take far more than the schema.
    private var origins: [Int: (parent: Int, tokens: [Token])] = [:]

    /// The subschemas that are open, each with the length of its path.
    private var open: [(index: Int, length: Int)] = []

    enum Token {
        case name(String)
        case index(Int)
    }

    init(at base: JSONPointer) { self.base = base }

    /// Compiles a whole schema.
    ///
    /// - Parameters:
    ///   - view: The schema.
    ///   - base: Where it stands in its document.
    /// - Returns: The subschemas, the root first.
    /// - Throws: Every fault, the first 64 at most.
    static func compile(_ view: JSONView, at base: JSONPointer) throws(JSONSchemaFaults) -> [SchemaNode] {
        var compiler = SchemaCompiler(at: base)
        compiler.compileRoot(view)
        if compiler.faults.isEmpty { compiler.checkReferences() }
        guard compiler.faults.isEmpty else { throw JSONSchemaFaults(compiler.faults) }
        return compiler.schemas.map { SchemaNode($0) }
    }

    private mutating func compileRoot(_ view: JSONView) {
        guard view.byteRange.count <= JSONSchemaLimits.maximumBytes else {
            return add(.tooLarge, "A schema has at most \(JSONSchemaLimits.maximumBytes) bytes.")
        }
        schemas.append(SchemaRules())
        // Definitions have their indexes before anything refers to them.
        if let members = view["$defs"]?.members {
            for member in members {
                definitions[member.keyView.utf8] = schemas.count
                schemas.append(SchemaRules())
            }
        }
        if schemas.count > JSONSchemaLimits.maximumSubschemas { addTooManySubschemas() }
        compile(view, into: 0, by: .definitions)
        for (index, count) in uses where count > 1 { schemas[index].isShared = true }
    }

    // MARK: - Subschemas

    /// Compiles a subschema under the current path.
    ///
    /// - Parameters:
    ///   - view: The subschema.
    ///   - keyword: The keyword that holds it.
    /// - Returns: Its index.
    mutating func subschema(_ view: JSONView, by keyword: SchemaKeyword) -> Int {
        guard schemas.count < JSONSchemaLimits.maximumSubschemas else {
            addTooManySubschemas()
            return 0
        }
        schemas.append(SchemaRules())
        let index = schemas.count - 1
        compile(view, into: index, by: keyword)
        return index
    }

    /// Compiles a subschema under one more name or position.
    mutating func subschema(_ view: JSONView, by keyword: SchemaKeyword, under token: Token) -> Int {
        under(token) { $0.subschema(view, by: keyword) }
    }

    /// Does something under one more name or position.
    mutating func under<Result>(_ token: Token, _ body: (inout SchemaCompiler) -> Result) -> Result {
        path.append(token)
        let result = body(&self)
        path.removeLast()
        return result
    }

    private mutating func compile(_ view: JSONView, into index: Int, by keyword: SchemaKeyword) {
        guard !isFull else { return }
        if let parent = open.last { origins[index] = (parent.index, Array(path[parent.length...])) }
        if let isAllowed = view.boolValue {
            if !isAllowed { schemas[index].forbiddenBy = keyword }
            return
        }
        guard view.kind == .object else {
            return add(.invalidType, "A schema is an object or a boolean, not \(view.kind.withArticle).")
        }
        open.append((index, path.count))
        defer { open.removeLast() }
        guard open.count <= JSONSchemaLimits.maximumDepth else {
            return add(.tooDeep, "Subschemas are nested at most \(JSONSchemaLimits.maximumDepth) levels deep.")
        }
        var node = SchemaRules()
        for member in view.members where !isFull {
            path.append(.name(member.key))
            compile(member, of: view, index, into: &node)
            path.removeLast()
        }
        schemas[index] = node
    }

    private mutating func compile(
        _ member: JSONMemberView,
        of schema: JSONView,
        _ index: Int,
        into node: inout SchemaRules
    ) {
        let name = member.key
        guard let keyword = SchemaKeyword(rawValue: name) else { return addUnknown(name) }
        switch keyword {
        case .ref, .definitions, .dialect, .identifier: compileCore(keyword, member.value, index, into: &node)
        case .comment, .title, .description, .defaultValue, .examples, .deprecated, .readOnly, .writeOnly,
            .contentEncoding, .contentMediaType, .personal:
            compileAnnotation(keyword, member.value, into: &node)
        case .type, .enumeration, .const: compileAny(keyword, member.value, into: &node)
        case .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum, .multipleOf:
            compileNumber(keyword, member.value, into: &node)
        case .minLength, .maxLength, .pattern, .format: compileString(keyword, member.value, into: &node)
        case .items, .prefixItems, .contains, .minContains, .maxContains, .minItems, .maxItems, .uniqueItems:
            compileArray(keyword, member.value, of: schema, into: &node)
        case .properties, .patternProperties, .additionalProperties, .propertyNames, .required, .dependentRequired,
            .dependentSchemas, .minProperties, .maxProperties:
            compileObject(keyword, member.value, into: &node)
        case .allOf, .anyOf, .oneOf, .not, .ifSchema, .thenSchema, .elseSchema:
            compileBranches(keyword, member.value, of: schema, into: &node)
        }
    }

    // MARK: - References

    private mutating func compileCore(
        _ keyword: SchemaKeyword,
        _ view: JSONView,
        _ index: Int,
        into node: inout SchemaRules
    ) {
        if keyword != .ref, index != 0 {
            return add(.unsupportedKeyword, "\(keyword.rawValue) stands at the top of a schema only.")
        }
        switch keyword {
        case .definitions: compileDefinitions(view)
        case .dialect:
            guard let uri = text(view, keyword) else { return }
            guard uri != SchemaKeyword.dialectURI, uri != SchemaKeyword.dialectURI + "#" else { return }
            add(.unsupportedValue, "The one supported dialect is \(SchemaKeyword.dialectURI).")
        case .identifier:
            guard let uri = text(view, keyword) else { return }
            var copy = uri
            guard !copy.withUTF8({ StringFormat.uri.matches($0) }) || uri.contains("#") else { return }
            add(.invalidValue, "$id is a URI with its scheme and without a fragment.")
        default:
            guard let uri = text(view, keyword), let target = target(of: uri) else { return }
            node.reference = target
            uses[target, default: 0] += 1
        }
    }

    private mutating func compileDefinitions(_ view: JSONView) {
        guard isObject(view, .definitions) else { return }
        for member in view.members where !isFull {
            guard let index = definitions[member.keyView.utf8] else { continue }
            under(.name(member.key)) { $0.compile(member.value, into: index, by: .definitions) }
        }
    }

    /// The schema that a reference leads to.
    private mutating func target(of uri: String) -> Int? {
        if uri == "#" { return 0 }
        let prefix = "#/$defs/"
        guard uri.hasPrefix(prefix), !uri.dropFirst(prefix.count).contains("/") else {
            add(.unsupportedValue, "A reference leads to # or #/$defs/name.")
            return nil
        }
        guard let name = SchemaReference.name(in: uri.utf8.dropFirst(prefix.utf8.count)) else {
            add(.invalidValue, "The reference is no pointer in a URI's fragment.")
            return nil
        }
        guard let index = definitions[name] else {
            add(.unresolvedReference, "There is no such definition under $defs at the top.")
            return nil
        }
        return index
    }

    /// Finds references that lead nowhere, and chains that are too long, once everything else is right.
    private mutating func checkReferences() {
        var walk = ReferenceWalk(schemas)
        walk.walk()
        for index in walk.endless {
            guard !isFull else { return }
            path = place(of: index) + [.name(SchemaKeyword.ref.rawValue)]
            let message = "The reference leads back to its own schema without going deeper into the value."
            add(.endlessReference, message)
        }
        guard let index = walk.tooDeep else { return }
        path = place(of: index)
        let message = "More than \(JSONSchemaLimits.maximumDepth) schemas apply to one value through one another."
        add(.tooDeep, message)
    }

    /// The path to a subschema.
    private func place(of index: Int) -> [Token] {
        var tokens: [Token] = []
        var at = index
        while let origin = origins[at] {
            tokens = origin.tokens + tokens
            at = origin.parent
        }
        return tokens
    }

    // MARK: - Faults

    var isFull: Bool { faults.count >= JSONSchemaFaults.maximumCount }

    /// Where the compiler is, cut at a container where the pointer would be too long.
    private var pointer: JSONPointer {
        var pointer = base
        for token in path {
            let next =
                switch token {
                case .name(let name): pointer.appending(name)
                case .index(let index): pointer.appending(index)
                }
            guard next.text.utf8.count <= JSONSchemaLimits.maximumPointerBytes else { return pointer }
            pointer = next
        }
        return pointer
    }

    /// Adds a fault at the current path, or further inside.
    mutating func add(_ code: JSONSchemaFault.Code, under tokens: [Token] = [], _ message: String) {
        guard !isFull else { return }
        path += tokens
        faults.append(JSONSchemaFault(code, at: pointer, message))
        path.removeLast(tokens.count)
    }

    private mutating func addTooManySubschemas() {
        // One such fault says it all.
        guard !faults.contains(where: { $0.code == .tooLarge }) else { return }
        add(.tooLarge, "A schema has at most \(JSONSchemaLimits.maximumSubschemas) subschemas.")
    }

    private mutating func addUnknown(_ name: String) {
        if let instead = SchemaKeyword.unsupported[name] {
            add(.unsupportedKeyword, "\(name) is not supported: \(instead).")
        } else if !name.hasPrefix("x-") {
            add(.unknownKeyword, "There is no such keyword in JSON Schema 2020-12; names of notes begin with x-.")
        }
    }
}
