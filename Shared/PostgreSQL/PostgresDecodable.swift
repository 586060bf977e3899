package import FoundationEssentials

/// What a column can be decoded as.
package protocol PostgresDecodable {
    /// Reads one value; throws where the type differs or a NULL is not expected.
    static func decode(_ cell: PostgresCell) throws(PostgresError) -> Self
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Wrapped? {
        guard cell.bytes != nil else { return nil }
        return try Wrapped.decode(cell)
    }
}

extension PostgresDecodable where Self: FixedWidthInteger & LosslessStringConvertible {
    /// Reads any of the integer types, where the value fits.
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Self {
        guard cell.isBinary else { return try cell.parsed(Self.self) }
        let value: Int64
        switch cell.type {
        case .int8: value = try cell.integer(Int64.self)
        case .int4: value = Int64(try cell.integer(Int32.self))
        case .int2: value = Int64(try cell.integer(Int16.self))
        case .oid: value = Int64(try cell.integer(UInt32.self))
        default: throw cell.mismatch(Self.self)
        }
        guard let exact = Self(exactly: value) else {
            throw PostgresError(.decoding, "\(value) does not fit \(Self.self)")
        }
        return exact
    }
}

extension Int: PostgresDecodable {}
extension Int64: PostgresDecodable {}
extension Int32: PostgresDecodable {}
extension Int16: PostgresDecodable {}

extension Bool: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Bool {
        guard cell.type == .bool else { throw cell.mismatch(Self.self) }
        guard cell.isBinary else { return try cell.value().first == UInt8(ascii: "t") }
        return try cell.integer(UInt8.self) != 0
    }
}

extension Double: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Double {
        guard cell.isBinary else { return try cell.parsed(Double.self) }
        switch cell.type {
        case .float8: return Double(bitPattern: try cell.integer(UInt64.self))
        case .float4: return Double(Float(bitPattern: try cell.integer(UInt32.self)))
        default: throw cell.mismatch(Self.self)
        }
    }
}

extension String: PostgresDecodable {
    /// Reads every type whose form is text: `text`, `varchar`, `json`, `jsonb`, enums and domains over them.
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> String {
        String(decoding: try cell.text(Self.self), as: UTF8.self)
    }
}

extension UUID: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> UUID {
        guard cell.type == .uuid else { throw cell.mismatch(Self.self) }
        guard cell.isBinary else {
            guard let uuid = UUID(uuidString: String(decoding: try cell.value(), as: UTF8.self)) else {
                throw cell.mismatch(Self.self)
            }
            return uuid
        }
        let bytes = try cell.value()
        guard bytes.count == 16 else { throw cell.mismatch(Self.self) }
        return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension PostgresTimestamp: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> PostgresTimestamp {
        guard cell.isBinary, cell.type == .timestamptz || cell.type == .timestamp else {
            throw cell.mismatch(Self.self)
        }
        guard let timestamp = PostgresTimestamp(wireValue: try cell.integer(Int64.self)) else {
            throw PostgresError(.decoding, "the timestamp is infinite or out of range")
        }
        return timestamp
    }
}

extension Date: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Date {
        try PostgresTimestamp.decode(cell).date
    }
}
