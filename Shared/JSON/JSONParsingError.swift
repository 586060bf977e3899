/// Why bytes are not an acceptable JSON document, and where.
package struct JSONParsingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The stable name of a fault.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// More bytes than the limit.
        package static let tooLarge = Code(rawValue: "too_large")
        /// More levels than the limit.
        package static let tooDeep = Code(rawValue: "too_deep")
        /// More values than the limit.
        package static let tooManyValues = Code(rawValue: "too_many_values")
        /// Two members of an object have the same name.
        package static let duplicateKey = Code(rawValue: "duplicate_key")
        /// A byte sequence is not UTF-8.
        package static let invalidUTF8 = Code(rawValue: "invalid_utf8")
        /// A `\u` escape is half of a surrogate pair.
        package static let loneSurrogate = Code(rawValue: "lone_surrogate")
        /// A backslash is followed by something that JSON does not know.
        package static let invalidEscape = Code(rawValue: "invalid_escape")
        /// A string holds a raw control character.
        package static let controlCharacter = Code(rawValue: "control_character")
        /// A number is not written as JSON demands.
        package static let invalidNumber = Code(rawValue: "invalid_number")
        /// A word that is none of `true`, `false` and `null`.
        package static let invalidLiteral = Code(rawValue: "invalid_literal")
        /// A byte that cannot stand here.
        package static let unexpectedByte = Code(rawValue: "unexpected_byte")
        /// Something follows the document's one value.
        package static let trailingBytes = Code(rawValue: "trailing_bytes")
        /// The document ends too early.
        package static let truncated = Code(rawValue: "truncated")

        package var description: String { rawValue }

        /// The same bytes always fail in the same way.
        package var isRetryable: Bool { false }
    }

    package let code: Code

    /// The offset of the offending byte, from 0; the document's length where it ends too early.
    package let offset: Int

    /// The line of that byte, from 1.
    package let line: Int

    /// The column of that byte in its line, in bytes, from 1.
    package let column: Int

    /// What is wrong, without the place.
    package let reason: String

    /// A sentence for people: what is wrong, and where.
    package var message: String { "\(reason) at line \(line), column \(column) (byte \(offset))" }

    package var description: String { message }

    /// Makes an error about one place of a document.
    init(_ code: Code, _ reason: String, at offset: Int, in bytes: UnsafeBufferPointer<UInt8>) {
        var line = 1
        var lineStart = 0
        for (index, byte) in bytes.prefix(offset).enumerated() where byte == 0x0A {
            line += 1
            lineStart = index + 1
        }
        self.code = code
        self.offset = offset
        self.line = line
        self.column = offset - lineStart + 1
        self.reason = reason
    }
}
