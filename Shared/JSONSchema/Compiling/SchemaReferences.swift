import JSON

/// Reads what a reference names.
enum SchemaReference {
    /// The one token of a JSON Pointer in a URI's fragment, decoded; nil where it is written wrongly.
    static func name(in token: some Collection<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        var rest = Array(token)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, digits.utf8.allSatisfy(NetworkFormat.isHex) else { return nil }
            guard let value = UInt8(digits, radix: 16) else { return nil }
            decoded.append(value)
            rest = rest.dropFirst(2)
        }
        let text = String(decoding: decoded, as: UTF8.self)
        guard Array(text.utf8) == decoded, let tokens = JSONPointer("/" + text)?.tokens, tokens.count == 1 else {
            return nil
        }
        return tokens.first.map { Array($0.utf8) }
    }
}

/// Walks from each schema to those that apply to the same value.
///
/// Whoever came back to where he was would apply a schema to one value without end.
struct ReferenceWalk {
    private let schemas: [SchemaRules]

    /// The schemas whose reference leads back to a schema that is being walked through; a schema is within one other
    /// only, so nothing but a reference leads back.
    private(set) var endless: [Int] = []

    /// The first schema at which a chain becomes too long.
    private(set) var tooDeep: Int?

    private enum Progress {
        case isNew
        case isOpen
        /// The number of schemas in the longest chain from here.
        case isDone(Int)
    }

    init(_ schemas: [SchemaRules]) { self.schemas = schemas }

    /// Walks from every schema.
    mutating func walk() {
        var progress = [Progress](repeating: .isNew, count: schemas.count)
        for index in schemas.indices { walk(from: index, &progress) }
    }

    /// Walks in depth with a stack of its own, as chains may be as long as the schema is large.
    private mutating func walk(from start: Int, _ progress: inout [Progress]) {
        guard case .isNew = progress[start] else { return }
        var open: [(index: Int, next: ArraySlice<Int>, height: Int)] = [(start, schemas[start].inPlace[...], 1)]
        progress[start] = .isOpen
        while var top = open.popLast() {
            guard let next = top.next.popFirst() else {
                progress[top.index] = .isDone(top.height)
                if let parent = open.indices.last { open[parent].height = max(open[parent].height, top.height + 1) }
                if top.height > JSONSchemaLimits.maximumDepth, tooDeep == nil { tooDeep = top.index }
                continue
            }
            switch progress[next] {
            case .isNew:
                progress[next] = .isOpen
                open.append(top)
                open.append((next, schemas[next].inPlace[...], 1))
                continue
            case .isOpen: endless.append(top.index)
            case .isDone(let height): top.height = max(top.height, height + 1)
            }
            open.append(top)
        }
    }
}
