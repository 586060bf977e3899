/// A JSON Pointer (RFC 6901): where a value is within a document.
package struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// The pointer as text: empty for the whole document, else `/`-separated escaped tokens.
    package let text: String

    /// The whole document.
    package static let root = JSONPointer(text: "")

    private init(text: String) { self.text = text }

    /// The pointer to the whole document.
    package init() { self = .root }

    /// Makes a pointer from unescaped tokens.
    package init(tokens: [String]) {
        self = tokens.reduce(.root) { $0.appending($1) }
    }

    /// Reads a pointer's text; nil if it is not one.
    ///
    /// - Parameter text: Empty, or tokens each after a `/`, in which `~` is followed by `0` or `1`.
    package init?(_ text: String) {
        guard text.isEmpty || text.utf8.first == UInt8(ascii: "/") else { return nil }
        var afterTilde = false
        for byte in text.utf8 {
            if afterTilde, byte != UInt8(ascii: "0"), byte != UInt8(ascii: "1") { return nil }
            afterTilde = byte == UInt8(ascii: "~")
        }
        guard !afterTilde else { return nil }
        self.text = text
    }

    /// The pointer to a member of what this one points at.
    package func appending(_ name: String) -> JSONPointer {
        var bytes = Array(text.utf8)
        bytes.append(UInt8(ascii: "/"))
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "~"): bytes.append(contentsOf: [byte, UInt8(ascii: "0")])
            case UInt8(ascii: "/"): bytes.append(contentsOf: [UInt8(ascii: "~"), UInt8(ascii: "1")])
            default: bytes.append(byte)
            }
        }
        return JSONPointer(text: String(decoding: bytes, as: UTF8.self))
    }

    /// The pointer to an element of what this one points at.
    package func appending(_ index: Int) -> JSONPointer { JSONPointer(text: text + "/\(index)") }

    /// The unescaped tokens, outermost first.
    package var tokens: [String] {
        text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst().map { token in
            var bytes: [UInt8] = []
            var afterTilde = false
            for byte in token {
                if afterTilde {
                    bytes.append(byte == UInt8(ascii: "1") ? UInt8(ascii: "/") : UInt8(ascii: "~"))
                    afterTilde = false
                } else if byte == UInt8(ascii: "~") {
                    afterTilde = true
                } else {
                    bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    package var description: String { text }

    /// A token as an array index: digits without a superfluous zero.
    static func index(from token: String) -> Int? {
        let digits = token.utf8
        guard let first = digits.first, digits.allSatisfy(JSONText.isDigit) else { return nil }
        guard first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
        return Int(token)
    }
}
