extension JSONView {
    /// The value in the form of RFC 8785: no white space, members sorted by UTF-16 code units, numbers as ECMAScript
    /// writes the nearest double.
    package func canonicalBytes() throws(JSONCanonicalError) -> [UInt8] {
        try storage.bytes.withUnsafeBufferPointer { (bytes) throws(JSONCanonicalError) -> [UInt8] in
            try storage.nodes.withUnsafeBufferPointer { (nodes) throws(JSONCanonicalError) -> [UInt8] in
                var writer = JSONCanonicalWriter(bytes: bytes, nodes: nodes)
                writer.output.reserveCapacity(byteRange.count)
                try writer.write(index)
                return writer.output
            }
        }
    }
}

/// Copies the parts of a validated document in canonical order; only what is not canonical yet is decoded.
private struct JSONCanonicalWriter {
    let bytes: UnsafeBufferPointer<UInt8>
    let nodes: UnsafeBufferPointer<JSONNode>
    var output: [UInt8] = []

    /// The names of all objects that are being written, the innermost object's last.
    private var names: [Name] = []

    /// A name whose value stands at the node behind it.
    private struct Name {
        var index: Int
        /// The decoded name where its text has escapes.
        var unescaped: [UInt8]?
    }

    /// Whole numbers of so many digits are doubles, and ECMAScript writes them as JSON does.
    private static let exactDigits = 15

    init(bytes: UnsafeBufferPointer<UInt8>, nodes: UnsafeBufferPointer<JSONNode>) {
        self.bytes = bytes
        self.nodes = nodes
    }

    /// Writes a value; recursive, as the depth was bounded when the document was read.
    mutating func write(_ index: Int) throws(JSONCanonicalError) {
        let node = nodes[index]
        switch node.kind {
        case .null, .bool: copy(node)
        case .string: writeString(node)
        case .number: try writeNumber(node)
        case .array: try writeArray(index, count: node.count)
        case .object: try writeObject(index, count: node.count)
        }
    }

    private mutating func copy(_ node: JSONNode) {
        output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[Int(node.start)..<Int(node.end)]))
    }

    /// Writes a string: without escapes it is canonical, as what must be escaped cannot stand in it.
    private mutating func writeString(_ node: JSONNode) {
        guard node.flag else { return copy(node) }
        unescaped(node).withUnsafeBufferPointer { JSONText.quote($0, into: &output) }
    }

    private mutating func writeNumber(_ node: JSONNode) throws(JSONCanonicalError) {
        let isNegativeZero =
            node.end - node.start == 2 && bytes[Int(node.start)] == UInt8(ascii: "-")
            && bytes[Int(node.start) + 1] == UInt8(ascii: "0")
        guard node.flag || isNegativeZero || node.end - node.start > Self.exactDigits else { return copy(node) }
        let text = String(decoding: bytes[Int(node.start)..<Int(node.end)], as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw JSONCanonicalError(number: text) }
        output.append(contentsOf: ECMAScriptNumber.bytes(of: value))
    }

    private mutating func writeArray(_ index: Int, count: Int) throws(JSONCanonicalError) {
        output.append(UInt8(ascii: "["))
        var element = index + 1
        for position in 0..<count {
            if position > 0 { output.append(UInt8(ascii: ",")) }
            try write(element)
            element = Int(nodes[element].next)
        }
        output.append(UInt8(ascii: "]"))
    }

    private mutating func writeObject(_ index: Int, count: Int) throws(JSONCanonicalError) {
        let base = names.count
        var name = index + 1
        var isSorted = true
        for position in 0..<count {
            let node = nodes[name]
            names.append(Name(index: name, unescaped: node.flag ? unescaped(node) : nil))
            isSorted = isSorted && (position == 0 || precedes(names[base + position - 1], names[base + position]))
            name = Int(nodes[name + 1].next)
        }
        if !isSorted { names[base...].sort(by: precedes) }
        output.append(UInt8(ascii: "{"))
        for position in 0..<count {
            if position > 0 { output.append(UInt8(ascii: ",")) }
            let name = names[base + position].index
            writeString(nodes[name])
            output.append(UInt8(ascii: ":"))
            try write(name + 1)
        }
        output.append(UInt8(ascii: "}"))
        names.removeLast(count)
    }

    private func precedes(_ left: Name, _ right: Name) -> Bool {
        withDecoded(left) { left in withDecoded(right) { right in JSONOrder.precedesInUTF16(left, right) } }
    }

    @inline(__always)
    private func withDecoded(_ name: Name, _ body: (UnsafeBufferPointer<UInt8>) -> Bool) -> Bool {
        guard let unescaped = name.unescaped else { return body(inside(nodes[name.index])) }
        return unescaped.withUnsafeBufferPointer(body)
    }

    /// What stands between a string's quotes.
    private func inside(_ node: JSONNode) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[Int(node.start) + 1..<Int(node.end) - 1])
    }

    private func unescaped(_ node: JSONNode) -> [UInt8] {
        var unescaped: [UInt8] = []
        JSONText.unescape(inside(node), into: &unescaped)
        return unescaped
    }
}
