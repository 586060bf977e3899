/// A value of a validated document, read where it stands.
///
/// A view costs one reference to the document; nothing is decoded before it is asked for, and nothing is validated
/// again. Skipping a container takes one step however large it is.
package struct JSONView: Sendable {
    let storage: JSONStorage
    let index: Int

    @inline(__always)
    init(storage: JSONStorage, index: Int) {
        self.storage = storage
        self.index = index
    }

    @inline(__always)
    var node: JSONNode { storage.nodes[index] }

    package var kind: JSONKind { node.kind }

    package var isNull: Bool { node.kind == .null }

    /// The value of a boolean.
    package var boolValue: Bool? { node.kind == .bool ? node.flag : nil }

    /// The decoded text of a string.
    package var stringValue: String? { withStringUTF8 { String(decoding: $0, as: UTF8.self) } }

    /// The number with its source text.
    package var number: JSONNumber? {
        let node = node
        guard node.kind == .number else { return nil }
        return JSONNumber(validated: rawBytes)
    }

    /// A number without fraction and exponent that fits 64 bits.
    package var int64Value: Int64? {
        let node = node
        guard node.kind == .number, !node.flag else { return nil }
        return JSONNumber(validated: rawBytes).int64Value
    }

    /// The nearest double of a number; nil beyond the range of doubles.
    package var doubleValue: Double? { number?.doubleValue }

    /// The number of elements of an array or members of an object; 0 for scalars.
    package var count: Int { node.count }

    /// The document's bytes of exactly this value, for splicing.
    package var rawBytes: ArraySlice<UInt8> { storage.bytes[byteRange] }

    /// Where this value stands in the document's bytes.
    package var byteRange: Range<Int> { Int(node.start)..<Int(node.end) }

    /// Reads the bytes of exactly this value without copying them.
    package func withRawBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let range = byteRange
        return try storage.bytes.withUnsafeBufferPointer { (bytes) throws(Failure) -> Result in
            try body(UnsafeBufferPointer(rebasing: bytes[range]))
        }
    }

    /// Reads a string's decoded UTF-8, without copying it where it has no escapes; nil for another kind.
    package func withStringUTF8<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        let node = node
        guard node.kind == .string else { return nil }
        let inside = Int(node.start) + 1..<Int(node.end) - 1
        guard !node.flag else {
            var unescaped: [UInt8] = []
            unescaped.reserveCapacity(inside.count)
            storage.bytes.withUnsafeBufferPointer {
                JSONText.unescape(UnsafeBufferPointer(rebasing: $0[inside]), into: &unescaped)
            }
            return try unescaped.withUnsafeBufferPointer(body)
        }
        return try storage.bytes.withUnsafeBufferPointer { (bytes) throws(Failure) -> Result in
            try body(UnsafeBufferPointer(rebasing: bytes[inside]))
        }
    }

    /// Whether this is a string of exactly these UTF-8 bytes.
    package func isString(_ text: String) -> Bool {
        let isContiguous = text.utf8.withContiguousStorageIfAvailable { isString(utf8: $0) }
        return isContiguous ?? Array(text.utf8).withUnsafeBufferPointer { isString(utf8: $0) }
    }

    /// Whether this is a string of exactly these UTF-8 bytes.
    package func isString(utf8 text: UnsafeBufferPointer<UInt8>) -> Bool {
        let node = node
        guard node.kind == .string else { return false }
        // Every escape is longer than the UTF-8 of what it means.
        guard Int(node.end) - Int(node.start) - 2 >= text.count else { return false }
        return withStringUTF8 { JSONOrder.areEqual($0, text) } ?? false
    }
}
