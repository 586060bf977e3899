import FoundationEssentials

/// Base64 of RFC 4648, section 4, in the one form that an encoder writes.
enum StrictBase64 {
    static func text(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// Reads base64; nil where it has white space, lacks padding, or has bits that carry nothing and are not 0.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let text = String(text)
        guard let data = Data(base64Encoded: text) else { return nil }
        // What is written again in the same way was written in the one right way.
        guard data.base64EncodedString().utf8.elementsEqual(text.utf8) else { return nil }
        return [UInt8](data)
    }
}
