extension JSONDocument {
    /// Whether the document is written in the form of RFC 8785, all of it: what its canonical bytes would be.
    ///
    /// It costs far less than writing them: what stands where is known, and only what has escapes or is a number that
    /// may be written in several ways is written again.
    package var isCanonical: Bool { root.byteRange == bytes.indices && root.isCanonical }
}

extension JSONView {
    /// Whether the value is written in the form of RFC 8785.
    package var isCanonical: Bool {
        storage.bytes.withUnsafeBufferPointer { bytes in
            storage.nodes.withUnsafeBufferPointer { nodes in
                JSONCanonicalCheck(bytes: bytes, nodes: nodes).isCanonical(index)
            }
        }
    }
}

/// Compares the parts of a validated document with their canonical form.
///
/// Between two parts of a validated document stand the one sign that the grammar asks for and white space, so that
/// parts which stand as near to each other as they can have none between them.
private struct JSONCanonicalCheck {
    let bytes: UnsafeBufferPointer<UInt8>
    let nodes: UnsafeBufferPointer<JSONNode>

    /// Whether a value is canonical; recursive, as the depth was bounded when the document was read.
    func isCanonical(_ index: Int) -> Bool {
        let node = nodes[index]
        switch node.kind {
        case .null, .bool: return true
        case .string: return isCanonicalString(node)
        case .number: return isCanonicalNumber(node)
        case .array: return isCanonicalArray(index, node)
        case .object: return isCanonicalObject(index, node)
        }
    }

    private func isCanonicalArray(_ index: Int, _ node: JSONNode) -> Bool {
        var at = node.start + 1
        var element = index + 1
        for position in 0..<node.count {
            at += position > 0 ? 1 : 0
            guard nodes[element].start == at, isCanonical(element) else { return false }
            at = nodes[element].end
            element = Int(nodes[element].next)
        }
        return node.end == at + 1
    }

    private func isCanonicalObject(_ index: Int, _ node: JSONNode) -> Bool {
        var at = node.start + 1
        var name = index + 1
        var last: Int?
        for position in 0..<node.count {
            at += position > 0 ? 1 : 0
            guard nodes[name].start == at, isCanonicalString(nodes[name]) else { return false }
            if let last, !precedes(last, name) { return false }
            guard nodes[name + 1].start == nodes[name].end + 1, isCanonical(name + 1) else { return false }
            at = nodes[name + 1].end
            last = name
            name = Int(nodes[name + 1].next)
        }
        return node.end == at + 1
    }

    /// Whether a string is canonical: without escapes it is, as what must be escaped cannot stand in it.
    private func isCanonicalString(_ node: JSONNode) -> Bool {
        guard node.flag else { return true }
        var quoted: [UInt8] = []
        unescaped(node).withUnsafeBufferPointer { JSONText.quote($0, into: &quoted) }
        return isWritten(node, as: quoted)
    }

    private func isCanonicalNumber(_ node: JSONNode) -> Bool {
        // Whole numbers of few digits are doubles, and ECMAScript writes them as JSON does; -0 alone it does not.
        let length = node.end - node.start
        let isShort = !node.flag && length <= 15
        if isShort {
            return length != 2 || bytes[Int(node.start)] != UInt8(ascii: "-")
                || bytes[Int(node.start) + 1] != UInt8(ascii: "0")
        }
        let text = String(decoding: inside(Int(node.start)..<Int(node.end)), as: UTF8.self)
        guard let value = Double(text), value.isFinite else { return false }
        return isWritten(node, as: ECMAScriptNumber.bytes(of: value))
    }

    private func isWritten(_ node: JSONNode, as text: [UInt8]) -> Bool {
        text.withUnsafeBufferPointer { JSONOrder.areEqual($0, inside(Int(node.start)..<Int(node.end))) }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        guard nodes[left].flag || nodes[right].flag else {
            return JSONOrder.precedesInUTF16(name(nodes[left]), name(nodes[right]))
        }
        return unescaped(nodes[left]).withUnsafeBufferPointer { left in
            unescaped(nodes[right]).withUnsafeBufferPointer { right in JSONOrder.precedesInUTF16(left, right) }
        }
    }

    private func unescaped(_ node: JSONNode) -> [UInt8] {
        var unescaped: [UInt8] = []
        JSONText.unescape(name(node), into: &unescaped)
        return unescaped
    }

    /// What stands between a string's quotes.
    private func name(_ node: JSONNode) -> UnsafeBufferPointer<UInt8> {
        inside(Int(node.start) + 1..<Int(node.end) - 1)
    }

    private func inside(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[range])
    }
}
