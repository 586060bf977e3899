import JSON

/// One pass over an event that takes what patterns name and steps over the rest.
///
/// Recursion is bounded by the depth with which the document was validated.
struct FieldWalk {
    /// The document's bytes, from a position on.
    let text: ByteText

    let offset: Int

    var fields: EventFields

    mutating func object(_ view: JSONView, _ node: PathNode, element: Int32) {
        for member in view.members {
            let name = inside(member.keyView)
            if name.contains(byte: UInt8(ascii: "\\")) {
                var decoded = member.key
                decoded.withUTF8 { step($0, member.value, node, element: element) }
            } else {
                step(name, member.value, node, element: element)
            }
        }
    }

    /// Takes a member; a name with dots is as many steps.
    mutating func step(_ name: ByteText, _ view: JSONView, _ node: PathNode, element: Int32) {
        if !name.contains(byte: UInt8(ascii: ".")) {
            if let next = node.next(name) { value(view, next, element: element) }
            return
        }
        var next: PathNode? = node
        for part in name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            next = next?.next(ByteText(rebasing: part))
        }
        if let next { value(view, next, element: element) }
    }

    private mutating func value(_ view: JSONView, _ node: PathNode, element: Int32) {
        switch view.kind {
        case .object:
            if !node.steps.isEmpty { object(view, node, element: element) }
        case .array:
            array(view, node, element: element)
        case .null, .bool, .number, .string:
            if node.path != PathNode.noPath { scalar(view, node.path, element: element) }
        }
    }

    private mutating func array(_ view: JSONView, _ node: PathNode, element: Int32) {
        let array = fields.openArray()
        for (index, child) in view.elements.enumerated() {
            switch child.kind {
            case .object, .array:
                let inner = fields.openElement(of: array, at: index, in: element)
                value(child, node, element: inner)
                fields.closeElement(inner)
            case .null, .bool, .number, .string:
                value(child, node, element: element)
            }
        }
        fields.closeArray(array)
    }

    private mutating func scalar(_ view: JSONView, _ path: Int, element: Int32) {
        switch view.kind {
        case .string:
            let string = inside(view)
            if string.contains(byte: UInt8(ascii: "\\")) {
                var decoded = view.stringValue ?? ""
                decoded.withUTF8 { fields.append(string: $0, path: path, element: element) }
            } else {
                fields.append(string: string, path: path, element: element)
            }
        case .number:
            fields.append(number: bytes(view), path: path, element: element)
        case .bool:
            let value = view.boolValue == true
            let hash = Literal.hash(ofBool: value)
            fields.append(.bool, number: value ? 1 : 0, hash: hash, path: path, element: element)
        case .null:
            fields.append(.null, number: 0, hash: Literal.hashOfNull, path: path, element: element)
        case .array, .object:
            break
        }
    }

    private func bytes(_ view: JSONView) -> ByteText {
        let range = view.byteRange
        return ByteText(rebasing: text[range.lowerBound - offset..<range.upperBound - offset])
    }

    /// What stands between a string's quotes.
    private func inside(_ view: JSONView) -> ByteText {
        let range = view.byteRange
        return ByteText(rebasing: text[range.lowerBound + 1 - offset..<range.upperBound - 1 - offset])
    }
}
