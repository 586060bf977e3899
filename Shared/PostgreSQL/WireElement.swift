import FoundationEssentials

/// Writes big-endian fields into memory whose size was computed before.
struct WireWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var offset = 0

    init(buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    mutating func write<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        buffer.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
        offset += MemoryLayout<Value>.size
    }

    mutating func write(bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyMemory(from: bytes)
        offset += bytes.count
    }
}

/// What can be an element of an array parameter.
protocol WireElement {
    /// The length of the binary form, or nil for NULL.
    var wireSize: Int? { get }
    /// Whether it is a text with a NUL in it.
    var holdsNUL: Bool { get }
    /// Writes exactly ``wireSize`` bytes.
    func write(to writer: inout WireWriter)
}

extension WireElement {
    var holdsNUL: Bool { false }
}

extension WireElement where Self: FixedWidthInteger & BitwiseCopyable {
    var wireSize: Int? { MemoryLayout<Self>.size }
    func write(to writer: inout WireWriter) { writer.write(self) }
}

extension Int16: WireElement {}
extension Int32: WireElement {}
extension Int64: WireElement {}

extension Bool: WireElement {
    var wireSize: Int? { 1 }
    func write(to writer: inout WireWriter) { writer.write(UInt8(self ? 1 : 0)) }
}

extension Double: WireElement {
    var wireSize: Int? { 8 }
    func write(to writer: inout WireWriter) { writer.write(bitPattern) }
}

extension UUID: WireElement {
    var wireSize: Int? { 16 }
    func write(to writer: inout WireWriter) {
        withUnsafeBytes(of: uuid) { writer.write(bytes: $0) }
    }
}

extension PostgresTimestamp: WireElement {
    var wireSize: Int? { 8 }
    func write(to writer: inout WireWriter) { writer.write(wireValue) }
}

extension String: WireElement {
    var wireSize: Int? { utf8.count }
    var holdsNUL: Bool { utf8.contains(0) }
    func write(to writer: inout WireWriter) {
        var copy = self
        copy.withUTF8 { writer.write(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension [UInt8]: WireElement {
    var wireSize: Int? { count }
    var holdsNUL: Bool { contains(0) }
    func write(to writer: inout WireWriter) {
        withUnsafeBytes { writer.write(bytes: $0) }
    }
}

extension Optional: WireElement where Wrapped: WireElement {
    var wireSize: Int? { flatMap(\.wireSize) }
    var holdsNUL: Bool { self?.holdsNUL ?? false }
    func write(to writer: inout WireWriter) { self?.write(to: &writer) }
}
