package import FoundationEssentials

/// Arrays, one parameter for a whole column of a set-based write.
///
/// Each takes elements that may be `nil`, which become NULL, or a plain array, which is the faster of the two.
extension PostgresValue {
    package static func int8Array(_ values: [Int64]) -> PostgresValue { array(values, of: .int8, .int8Array) }
    package static func int8Array(_ values: [Int64?]) -> PostgresValue { array(values, of: .int8, .int8Array) }
    package static func int4Array(_ values: [Int32]) -> PostgresValue { array(values, of: .int4, .int4Array) }
    package static func int4Array(_ values: [Int32?]) -> PostgresValue { array(values, of: .int4, .int4Array) }
    package static func int2Array(_ values: [Int16]) -> PostgresValue { array(values, of: .int2, .int2Array) }
    package static func int2Array(_ values: [Int16?]) -> PostgresValue { array(values, of: .int2, .int2Array) }
    package static func boolArray(_ values: [Bool]) -> PostgresValue { array(values, of: .bool, .boolArray) }
    package static func boolArray(_ values: [Bool?]) -> PostgresValue { array(values, of: .bool, .boolArray) }
    package static func doubleArray(_ values: [Double]) -> PostgresValue { array(values, of: .float8, .float8Array) }
    package static func doubleArray(_ values: [Double?]) -> PostgresValue { array(values, of: .float8, .float8Array) }
    package static func uuidArray(_ values: [UUID]) -> PostgresValue { array(values, of: .uuid, .uuidArray) }
    package static func uuidArray(_ values: [UUID?]) -> PostgresValue { array(values, of: .uuid, .uuidArray) }
    package static func textArray(_ values: [String]) -> PostgresValue { textArray(elements: values) }
    package static func textArray(_ values: [String?]) -> PostgresValue { textArray(elements: values) }
    /// A `text[]` from UTF-8 bytes.
    package static func textBytesArray(_ values: [[UInt8]]) -> PostgresValue { textArray(elements: values) }
    /// A `text[]` from UTF-8 bytes.
    package static func textBytesArray(_ values: [[UInt8]?]) -> PostgresValue { textArray(elements: values) }
    /// A `bytea[]`.
    package static func bytesArray(_ values: [[UInt8]]) -> PostgresValue { array(values, of: .bytea, .byteaArray) }
    /// A `bytea[]`.
    package static func bytesArray(_ values: [[UInt8]?]) -> PostgresValue { array(values, of: .bytea, .byteaArray) }
    /// A `timestamptz[]`.
    package static func timestampArray(_ values: [PostgresTimestamp]) -> PostgresValue {
        array(values, of: .timestamptz, .timestamptzArray)
    }
    /// A `timestamptz[]`.
    package static func timestampArray(_ values: [PostgresTimestamp?]) -> PostgresValue {
        array(values, of: .timestamptz, .timestamptzArray)
    }
    /// A `timestamptz[]` from microseconds since 1970.
    package static func timestampArray(microseconds values: [Int64]) -> PostgresValue {
        timestampArray(values.map { PostgresTimestamp(microsecondsSinceEpoch: $0) })
    }
    /// A `timestamptz[]` from microseconds since 1970.
    package static func timestampArray(microseconds values: [Int64?]) -> PostgresValue {
        timestampArray(values.map { $0.map { PostgresTimestamp(microsecondsSinceEpoch: $0) } })
    }

    private static func array(_ values: [some WireElement], of element: PostgresType, _ type: PostgresType) -> Self {
        Self(type: type, payload: encode(values, of: element))
    }

    private static func textArray(elements: [some WireElement]) -> Self {
        Self(
            type: .textArray,
            payload: encode(elements, of: .text),
            holdsNUL: elements.contains { $0.holdsNUL }
        )
    }

    /// Writes the array form: dimensions, a flag for NULLs, the element type, then (length, lower bound) and elements.
    private static func encode(_ values: [some WireElement], of element: PostgresType) -> [UInt8] {
        var size = values.isEmpty ? 12 : 20
        for value in values { size += 4 + (value.wireSize ?? 0) }
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            var writer = WireWriter(buffer: UnsafeMutableRawBufferPointer(buffer))
            writer.write(Int32(values.isEmpty ? 0 : 1))
            writer.write(Int32(values.contains { $0.wireSize == nil } ? 1 : 0))
            writer.write(element.rawValue)
            if !values.isEmpty {
                // More elements than an Int32 counts do not fit a message; the size check refuses them.
                writer.write(Int32(truncatingIfNeeded: values.count))
                writer.write(Int32(1))
            }
            for value in values {
                guard let size = value.wireSize else {
                    writer.write(Int32(-1))
                    continue
                }
                writer.write(Int32(truncatingIfNeeded: size))
                value.write(to: &writer)
            }
            initialized = writer.offset
        }
    }
}
