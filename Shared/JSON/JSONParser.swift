/// Validates a document in one pass, without recursion, and records where every value is.
struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let end: Int
    let limits: JSONLimits
    var at = 0
    var nodes: [JSONNode] = []

    /// The innermost open container; each open container's ``JSONNode/end`` holds the one around it.
    private var parent = JSONNode.none
    private var depth = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) throws(JSONParsingError) {
        self.bytes = bytes
        self.end = bytes.count
        self.limits = limits
        guard end <= limits.maximumBytes else {
            throw JSONParsingError(
                .tooLarge,
                "The document has \(end) bytes, more than the \(limits.maximumBytes) allowed",
                at: 0,
                in: bytes
            )
        }
        nodes.reserveCapacity(min(end / 8 + 4, 4096))
    }

    /// Reads the whole document.
    mutating func parse() throws(JSONParsingError) -> [JSONNode] {
        repeat {
            skipWhitespace()
            if try parseValue() { continue }
            try parseAfterValue()
        } while parent != JSONNode.none
        skipWhitespace()
        guard at == end else {
            throw fault(.trailingBytes, "\(name(of: bytes[at])) follows the end of the document's value")
        }
        return nodes
    }

    /// Reads a scalar or opens a container; true if a value must follow at once.
    @inline(__always)
    private mutating func parseValue() throws(JSONParsingError) -> Bool {
        guard at < end else { throw fault(.truncated, "The document ends where a value must stand") }
        let byte = bytes[at]
        switch byte {
        case UInt8(ascii: "\""):
            try parseString()
        case UInt8(ascii: "{"):
            return try openObject()
        case UInt8(ascii: "["):
            return try openArray()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try parseNumber()
        case UInt8(ascii: "t"):
            try parseLiteral("true", .bool, flag: true)
        case UInt8(ascii: "f"):
            try parseLiteral("false", .bool, flag: false)
        case UInt8(ascii: "n"):
            try parseLiteral("null", .null, flag: false)
        default:
            throw fault(.unexpectedByte, "\(name(of: byte)) stands where a value must")
        }
        return false
    }

    /// Reads separators and closing brackets until a value must follow or the outermost container is closed.
    @inline(__always)
    private mutating func parseAfterValue() throws(JSONParsingError) {
        while parent != JSONNode.none {
            skipWhitespace()
            let isObject = nodes[Int(parent)].isObject
            nodes[Int(parent)].addChild()
            guard at < end else {
                throw fault(.truncated, "The document ends inside \(isObject ? "an object" : "an array")")
            }
            switch (bytes[at], isObject) {
            case (UInt8(ascii: ","), true):
                at &+= 1
                skipWhitespace()
                return try parseName()
            case (UInt8(ascii: ","), false):
                at &+= 1
                return
            case (UInt8(ascii: "}"), true):
                try checkNames(ofObjectAt: Int(parent))
                close()
            case (UInt8(ascii: "]"), false):
                close()
            case (let byte, _):
                let expected = isObject ? "\",\" or \"}\"" : "\",\" or \"]\""
                throw fault(.unexpectedByte, "\(name(of: byte)) stands where \(expected) must")
            }
        }
    }

    @inline(__always)
    private mutating func openObject() throws(JSONParsingError) -> Bool {
        try open(.object)
        skipWhitespace()
        if at < end, bytes[at] == UInt8(ascii: "}") {
            close()
            return false
        }
        try parseName()
        return true
    }

    @inline(__always)
    private mutating func openArray() throws(JSONParsingError) -> Bool {
        try open(.array)
        skipWhitespace()
        if at < end, bytes[at] == UInt8(ascii: "]") {
            close()
            return false
        }
        return true
    }

    private mutating func open(_ kind: JSONKind) throws(JSONParsingError) {
        depth &+= 1
        guard depth <= limits.maximumDepth else {
            throw fault(.tooDeep, "Values are nested more than \(limits.maximumDepth) levels deep")
        }
        let index = nodes.count
        try append(JSONNode(kind, from: at, to: Int(parent), next: 0))
        parent = UInt32(truncatingIfNeeded: index)
        at &+= 1
    }

    private mutating func close() {
        at &+= 1
        let index = Int(parent)
        parent = nodes[index].end
        nodes[index].end = UInt32(truncatingIfNeeded: at)
        nodes[index].next = UInt32(truncatingIfNeeded: nodes.count)
        depth &-= 1
    }

    /// Reads a member's name and its colon.
    @inline(__always)
    private mutating func parseName() throws(JSONParsingError) {
        guard at < end else { throw fault(.truncated, "The document ends where a member's name must stand") }
        guard bytes[at] == UInt8(ascii: "\"") else {
            throw fault(.unexpectedByte, "\(name(of: bytes[at])) stands where a member's name in quotes must")
        }
        try parseString()
        skipWhitespace()
        guard at < end else { throw fault(.truncated, "The document ends after a member's name") }
        guard bytes[at] == UInt8(ascii: ":") else {
            throw fault(.unexpectedByte, "\(name(of: bytes[at])) stands where \":\" must")
        }
        at &+= 1
    }

    private mutating func parseLiteral(
        _ literal: StaticString,
        _ kind: JSONKind,
        flag: Bool
    ) throws(JSONParsingError) {
        let start = at
        for offset in 0..<literal.utf8CodeUnitCount {
            guard at < end else { throw fault(.truncated, "The document ends inside \(literal)") }
            guard bytes[at] == literal.utf8Start[offset] else {
                throw fault(.invalidLiteral, "\(name(of: bytes[at])) stands inside what begins like \(literal)")
            }
            at &+= 1
        }
        try append(JSONNode(kind, from: start, to: at, next: nodes.count &+ 1, flag: flag))
    }

    @inline(__always)
    mutating func append(_ node: JSONNode) throws(JSONParsingError) {
        guard nodes.count < limits.maximumValues else {
            throw fault(.tooManyValues, "The document has more than \(limits.maximumValues) values and member names")
        }
        nodes.append(node)
    }

    @inline(__always)
    mutating func skipWhitespace() {
        while at < end, bytes[at] <= 0x20 {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at &+= 1
            default: return
            }
        }
    }

    @inline(never)
    func fault(_ code: JSONParsingError.Code, _ reason: String, at offset: Int? = nil) -> JSONParsingError {
        JSONParsingError(code, reason, at: offset ?? at, in: bytes)
    }

    /// How a message calls a byte.
    func name(of byte: UInt8) -> String {
        switch byte {
        case 0x22: "A quotation mark"
        case 0x21...0x7E: "\"\(Character(UnicodeScalar(byte)))\""
        default: "The byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }
}
