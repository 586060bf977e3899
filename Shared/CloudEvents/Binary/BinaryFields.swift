/// The header fields that carry an event's attributes in binary form.
struct BinaryFields {
    /// A field whose name begins with `ce-`.
    struct Field {
        /// The attribute's name.
        var name: String
        /// The attribute's text; nil where the field's value cannot be decoded.
        var value: String?
        /// Whether the field stands more than once.
        var isRepeated = false
    }

    /// The attributes in the order of their fields, each name once.
    private(set) var attributes: [Field] = []
    private(set) var contentType: String?

    init(_ fields: some Sequence<(name: String, value: String)>) {
        var positions: [String: Int] = [:]
        for (name, value) in fields {
            if let attribute = Self.attributeName(name) {
                if let position = positions[attribute] {
                    attributes[position].isRepeated = true
                } else {
                    positions[attribute] = attributes.count
                    attributes.append(Field(name: attribute, value: Self.decode(value)))
                }
            } else if name.utf8.count == 12, name.lowercased() == "content-type" {
                contentType = value
            }
        }
    }

    /// The name of the attribute that a field carries, or nil where it carries none.
    static func attributeName(_ field: String) -> String? {
        let bytes = field.utf8
        // Every field of every message is looked at, so nothing is copied before the prefix is found.
        guard bytes.count > 3, zip(bytes, "ce-".utf8).allSatisfy({ AttributeSyntax.lowercase($0) == $1 }) else {
            return nil
        }
        return String(decoding: bytes.dropFirst(3).map(AttributeSyntax.lowercase), as: UTF8.self)
    }

    /// Decodes a value (section 3.1.3.2): takes away quotes, if it has any, and decodes percent-encoding once.
    ///
    /// - Returns: The text; nil for broken quotes or escapes, for bytes beyond ASCII, and for what decodes to no UTF-8.
    static func decode(_ value: String) -> String? {
        var bytes = Array(value.utf8)[...]
        if bytes.first == UInt8(ascii: "\"") {
            guard let unquoted = unquoted(bytes) else { return nil }
            bytes = unquoted[...]
        }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        while let byte = bytes.popFirst() {
            guard byte < 0x80 else { return nil }
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let high = bytes.popFirst().flatMap(digit), let low = bytes.popFirst().flatMap(digit) else {
                return nil
            }
            decoded.append(high << 4 | low)
        }
        return String(validating: decoded, as: UTF8.self)
    }

    /// The text of a quoted string (RFC 7230, section 3.2.6), or nil where it does not end as one.
    private static func unquoted(_ quoted: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = quoted.dropFirst()
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                return rest.isEmpty ? text : nil
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                text.append(escaped)
            default:
                text.append(byte)
            }
        }
        return nil
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch AttributeSyntax.lowercase(byte) {
        case let digit where AttributeSyntax.isDigit(digit): digit - UInt8(ascii: "0")
        case let letter where AttributeSyntax.isHexDigit(letter): letter - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
