/// A JSON document whose bytes were validated once, strictly, and are kept as they came.
///
/// The grammar is RFC 8259's; beyond it the text must be UTF-8 without a byte order mark, no object may name a member
/// twice (names are compared unescaped), and no string may hold half of a surrogate pair (RFC 7493).
package struct JSONDocument: Sendable {
    private let storage: JSONStorage

    /// Validates bytes and keeps them.
    ///
    /// - Parameters:
    ///   - bytes: The whole document.
    ///   - limits: What it may cost.
    /// - Throws: The first fault, with its place.
    package init(parsing bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONParsingError) {
        let nodes = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONParsingError) -> [JSONNode] in
            var parser = try JSONParser(buffer, limits: limits)
            return try parser.parse()
        }
        storage = JSONStorage(bytes: bytes, nodes: nodes)
    }

    /// Validates a string's UTF-8 and keeps it.
    ///
    /// - Parameters:
    ///   - text: The whole document.
    ///   - limits: What it may cost.
    /// - Throws: The first fault, with its place.
    package init(parsing text: String, limits: JSONLimits = .standard) throws(JSONParsingError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }

    /// The document as it came.
    package var bytes: [UInt8] { storage.bytes }

    /// The document's one value.
    package var root: JSONView { JSONView(storage: storage, index: 0) }
}
