/// A value that has no canonical form.
package struct JSONCanonicalError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The number that no double stands for.
    package let number: String

    package init(number: String) { self.number = number }

    package var description: String { "The number \(number) is too large for a double." }
}

extension JSONValue {
    /// The value in the form of RFC 8785: no white space, members sorted by UTF-16 code units, numbers as ECMAScript
    /// writes the nearest double.
    package func canonicalBytes() throws(JSONCanonicalError) -> [UInt8] {
        var writer = JSONWriter()
        try write(to: &writer)
        return writer.bytes
    }

    private func write(to writer: inout JSONWriter) throws(JSONCanonicalError) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .number(let number):
            guard let value = number.doubleValue else {
                throw JSONCanonicalError(number: number.text)
            }
            writer.raw(ECMAScriptNumber.bytes(of: value))
        case .string(let text): writer.string(text)
        case .array(let elements):
            writer.beginArray()
            for element in elements {
                try element.write(to: &writer)
            }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for member in members.sorted(by: { JSONOrder.precedesInUTF16($0.key, $1.key) }) {
                writer.key(member.key)
                try member.value.write(to: &writer)
            }
            writer.endObject()
        }
    }
}
