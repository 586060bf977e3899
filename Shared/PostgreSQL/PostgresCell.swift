/// One value as the server sent it; its bytes live no longer than the call that lends it.
package struct PostgresCell {
    let type: PostgresType
    /// Whether the bytes are the binary form; results of simple statements are text.
    let isBinary: Bool
    /// The bytes, nil for NULL.
    let bytes: UnsafeRawBufferPointer?

    /// The bytes of a value that may not be NULL.
    func value() throws(PostgresError) -> UnsafeRawBufferPointer {
        guard let bytes else { throw PostgresError(.decoding, "is NULL") }
        return bytes
    }

    /// Reads a big-endian integer that must be the whole value.
    func integer<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) throws(PostgresError) -> Value {
        let bytes = try value()
        guard bytes.count == MemoryLayout<Value>.size else { throw mismatch(Value.self) }
        return Value(bigEndian: bytes.loadUnaligned(as: Value.self))
    }

    /// Reads a value that was sent as text.
    func parsed<Value: LosslessStringConvertible>(_: Value.Type) throws(PostgresError) -> Value {
        guard let parsed = Value(String(decoding: try value(), as: UTF8.self)) else { throw mismatch(Value.self) }
        return parsed
    }

    /// The UTF-8 of a value whose form is text.
    func text(_ target: Any.Type) throws(PostgresError) -> UnsafeRawBufferPointer {
        let bytes = try value()
        guard isBinary, type != .unknown else { return bytes }
        guard type != .jsonb else {
            // The binary form of jsonb is a version number before the text.
            guard bytes.first == 1 else { throw mismatch(target) }
            return UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        }
        guard !type.hasBinaryForm else { throw mismatch(target) }
        return bytes
    }

    func mismatch(_ target: Any.Type) -> PostgresError {
        PostgresError(.decoding, "type \(type.rawValue) does not decode as \(target)")
    }
}
