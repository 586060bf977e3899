package import FoundationEssentials

/// A parameter of a statement, already in the binary form that goes over the wire.
///
/// Every scalar takes an optional, where `nil` is a NULL of that type.
package struct PostgresValue: Sendable, Hashable {
    let type: PostgresType
    /// The bytes, or nil for NULL.
    let payload: [UInt8]?
    /// Whether a text holds a NUL, which Postgres cannot store; such a statement is refused before it is sent.
    let holdsNUL: Bool

    init(type: PostgresType, payload: [UInt8]?, holdsNUL: Bool = false) {
        self.type = type
        self.payload = payload
        self.holdsNUL = holdsNUL
    }

    /// A NULL whose type the server infers.
    ///
    /// A typed `nil` is better: it shares the prepared statement.
    package static let null = PostgresValue(type: .unspecified, payload: nil)

    package static func bool(_ value: Bool?) -> PostgresValue {
        PostgresValue(type: .bool, payload: value.map { [$0 ? 1 : 0] })
    }

    package static func int2(_ value: Int16?) -> PostgresValue {
        PostgresValue(type: .int2, payload: value.map(bigEndianBytes))
    }

    package static func int4(_ value: Int32?) -> PostgresValue {
        PostgresValue(type: .int4, payload: value.map(bigEndianBytes))
    }

    package static func int8(_ value: Int64?) -> PostgresValue {
        PostgresValue(type: .int8, payload: value.map(bigEndianBytes))
    }

    /// An `int8` from a Swift `Int`.
    package static func int(_ value: Int?) -> PostgresValue {
        int8(value.map(Int64.init))
    }

    package static func double(_ value: Double?) -> PostgresValue {
        PostgresValue(type: .float8, payload: value.map { bigEndianBytes($0.bitPattern) })
    }

    package static func text(_ value: String?) -> PostgresValue {
        textBytes(value.map { Array($0.utf8) })
    }

    /// A `text` from UTF-8 bytes, without a `String` between; the server checks the encoding.
    ///
    /// With a cast in the SQL (`$1::jsonb`) it also serves `json` and `jsonb`.
    package static func textBytes(_ value: [UInt8]?) -> PostgresValue {
        PostgresValue(type: .text, payload: value, holdsNUL: value?.contains(0) ?? false)
    }

    /// A `bytea`.
    package static func bytes(_ value: [UInt8]?) -> PostgresValue {
        PostgresValue(type: .bytea, payload: value)
    }

    package static func uuid(_ value: UUID?) -> PostgresValue {
        PostgresValue(type: .uuid, payload: value.map { value in withUnsafeBytes(of: value.uuid) { Array($0) } })
    }

    /// A `timestamptz`.
    package static func timestamp(_ value: PostgresTimestamp?) -> PostgresValue {
        PostgresValue(type: .timestamptz, payload: value.map { bigEndianBytes($0.wireValue) })
    }

    /// A `timestamptz`, rounded to the microsecond.
    package static func timestamp(_ value: Date?) -> PostgresValue {
        timestamp(value.map { PostgresTimestamp($0) })
    }

    /// A `timestamptz` from microseconds since 1970.
    package static func timestamp(microseconds value: Int64?) -> PostgresValue {
        timestamp(value.map { PostgresTimestamp(microsecondsSinceEpoch: $0) })
    }

    private static func bigEndianBytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}
