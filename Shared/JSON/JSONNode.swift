/// One value or member name of a document: where its bytes are, and where the node after its subtree is.
///
/// Nodes stand in document order; an object's children alternate between names and values.
struct JSONNode: Sendable {
    /// The offset of the first byte; a string's is its opening quote.
    var start: UInt32

    /// The offset behind the last byte; in an open container, the index of the container around it.
    var end: UInt32

    /// The index of the node behind this one's subtree.
    var next: UInt32

    /// Kind in bits 0–2, flag in bit 3, number of elements or members above.
    private var info: UInt32

    /// What ``end`` holds in an open container with none around it.
    static let none = UInt32.max

    @inline(__always)
    init(_ kind: JSONKind, from start: Int, to end: Int, next: Int, flag: Bool = false) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
        self.next = UInt32(truncatingIfNeeded: next)
        self.info = UInt32(kind.rawValue) | (flag ? 8 : 0)
    }

    @inline(__always)
    var kind: JSONKind { JSONKind(rawValue: UInt8(truncatingIfNeeded: info & 7)) ?? .null }

    /// Whether a string has escapes, or a number a fraction or an exponent, or a literal is `true`.
    @inline(__always)
    var flag: Bool { info & 8 != 0 }

    @inline(__always)
    var isObject: Bool { info & 7 == UInt32(JSONKind.object.rawValue) }

    @inline(__always)
    var count: Int { Int(info >> 4) }

    @inline(__always)
    mutating func addChild() { info &+= 16 }
}

/// The bytes of a validated document and the index over them.
final class JSONStorage: Sendable {
    let bytes: [UInt8]
    let nodes: [JSONNode]

    init(bytes: [UInt8], nodes: [JSONNode]) {
        self.bytes = bytes
        self.nodes = nodes
    }
}
