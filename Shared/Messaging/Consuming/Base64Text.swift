import FoundationEssentials

/// Bytes as text (RFC 4648, section 4).
package enum Base64Text {
    /// The text of bytes, padded.
    package static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// The bytes of a text; nil where it is none of theirs.
    package static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { Array($0) } }
}
