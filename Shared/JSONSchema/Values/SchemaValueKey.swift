import JSON

/// Bytes that two values share exactly where JSON Schema calls the values equal: numbers by value, strings by code
/// points, objects whatever the order of their members.
enum SchemaValueKey {
    /// The key of a value.
    static func bytes(of view: JSONView) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(view.byteRange.count + 8)
        append(view, to: &output)
        return output
    }

    /// Appends the key of a value; recursive, as the depth was bounded when the document was read.
    private static func append(_ view: JSONView, to output: inout [UInt8]) {
        switch view.kind {
        case .null: output.append(UInt8(ascii: "n"))
        case .bool: output.append(view.boolValue == true ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .number:
            output.append(contentsOf: SchemaDecimal(view).text.utf8)
            output.append(UInt8(ascii: ";"))
        case .string: append(text: view.utf8, to: &output)
        case .array:
            output.append(UInt8(ascii: "["))
            for element in view.elements { append(element, to: &output) }
            output.append(UInt8(ascii: "]"))
        case .object:
            output.append(UInt8(ascii: "{"))
            let members = view.members.map { (name: $0.keyView.utf8, value: $0.value) }
            for member in members.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
                append(text: member.name, to: &output)
                append(member.value, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Appends text behind its length, so that no text runs into what follows it.
    private static func append(text: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        output.append(contentsOf: String(text.count).utf8)
        output.append(UInt8(ascii: ":"))
        output.append(contentsOf: text)
    }
}

extension JSONView {
    /// A string's decoded UTF-8; empty for another kind.
    var utf8: [UInt8] { withStringUTF8 { Array($0) } ?? [] }
}
