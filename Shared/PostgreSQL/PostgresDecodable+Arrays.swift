package import FoundationEssentials

/// What can be an element of a decoded array.
///
/// `UInt8` is one so that `[UInt8]` reads a `bytea`, which is no array to Postgres.
package protocol PostgresArrayElement: PostgresDecodable {
    /// Reads the value that stands for a Swift array of this element.
    static func decodeArray(_ cell: PostgresCell) throws(PostgresError) -> [Self]
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> [Element] {
        try Element.decodeArray(cell)
    }
}

extension PostgresArrayElement {
    /// Reads a one-dimensional array in its binary form.
    package static func decodeArray(_ cell: PostgresCell) throws(PostgresError) -> [Self] {
        guard cell.isBinary else { throw cell.mismatch([Self].self) }
        var reader = ArrayReader(bytes: try cell.value())
        let header = try reader.header()
        var elements: [Self] = []
        // Each element takes four bytes at least, so a count that lies cannot reserve more than the value's size.
        elements.reserveCapacity(min(header.count, reader.remaining / 4))
        for _ in 0..<header.count {
            let bytes = try reader.element()
            elements.append(try Self.decode(PostgresCell(type: header.type, isBinary: true, bytes: bytes)))
        }
        return elements
    }
}

extension Int: PostgresArrayElement {}
extension Int64: PostgresArrayElement {}
extension Int32: PostgresArrayElement {}
extension Int16: PostgresArrayElement {}
extension Bool: PostgresArrayElement {}
extension Double: PostgresArrayElement {}
extension String: PostgresArrayElement {}
extension UUID: PostgresArrayElement {}
extension Date: PostgresArrayElement {}
extension PostgresTimestamp: PostgresArrayElement {}
extension Array: PostgresArrayElement where Element == UInt8 {}
extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {}

extension UInt8: PostgresArrayElement {
    /// Reads one `"char"`.
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> UInt8 {
        guard cell.type == .char else { throw cell.mismatch(Self.self) }
        return try cell.integer(UInt8.self)
    }

    /// Reads a `bytea`, or the UTF-8 of a text without a `String` between.
    package static func decodeArray(_ cell: PostgresCell) throws(PostgresError) -> [UInt8] {
        guard cell.type == .bytea else { return Array(try cell.text([UInt8].self)) }
        guard cell.isBinary else { throw cell.mismatch([UInt8].self) }
        return Array(try cell.value())
    }
}

/// Walks the binary form of an array; every length is checked, since a peer sent it.
private struct ArrayReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var remaining: Int { bytes.count - offset }

    mutating func header() throws(PostgresError) -> (count: Int, type: PostgresType) {
        let dimensions = try integer()
        _ = try integer()
        let type = PostgresType(rawValue: UInt32(bitPattern: try integer()))
        guard dimensions != 0 else { return (0, type) }
        guard dimensions == 1 else { throw PostgresError(.decoding, "the array has \(dimensions) dimensions") }
        let count = try integer()
        _ = try integer()
        guard count >= 0 else { throw PostgresError(.decoding, "the array's length is \(count)") }
        return (Int(count), type)
    }

    mutating func element() throws(PostgresError) -> UnsafeRawBufferPointer? {
        let length = try integer()
        guard length != -1 else { return nil }
        guard length >= 0, Int(length) <= remaining else { throw PostgresError(.decoding, "the array is cut short") }
        defer { offset += Int(length) }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
    }

    private mutating func integer() throws(PostgresError) -> Int32 {
        guard remaining >= 4 else { throw PostgresError(.decoding, "the array is cut short") }
        defer { offset += 4 }
        return Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }
}
