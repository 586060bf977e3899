import Logging

/// Builds the bytes of one JSON object on one line.
struct JSONLine {
    /// The most bytes of a text that are written; what is longer is cut, so that no input makes a line endless.
    static let greatestText = 16_384

    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 64) {
        bytes.reserveCapacity(capacity)
    }

    /// Opens the object.
    mutating func begin() {
        bytes.append(0x7B)
    }

    /// Closes the object; the newline is the caller's.
    mutating func end() {
        bytes.append(0x7D)
    }

    /// Ends the line.
    mutating func newline() {
        bytes.append(0x0A)
    }

    /// What was written.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Adds members that were written before.
    mutating func raw(_ members: [UInt8]) {
        separate()
        bytes.append(contentsOf: members)
    }

    mutating func member(_ name: String, text: String) {
        key(name)
        string(text)
    }

    mutating func member(_ name: String, value: Logger.Metadata.Value) {
        key(name)
        append(value)
    }

    private mutating func key(_ name: String) {
        separate()
        string(name)
        bytes.append(0x3A)
    }

    private mutating func separate() {
        guard let last = bytes.last, last != 0x7B, last != 0x5B else { return }
        bytes.append(0x2C)
    }

    private mutating func append(_ value: Logger.Metadata.Value) {
        switch value {
        case .string(let text):
            string(text)
        case .stringConvertible(let convertible):
            append(convertible)
        case .array(let elements):
            bytes.append(0x5B)
            for element in elements {
                separate()
                append(element)
            }
            bytes.append(0x5D)
        case .dictionary(let members):
            bytes.append(0x7B)
            for key in members.keys.sorted() {
                if let member = members[key] { self.member(key, value: member) }
            }
            bytes.append(0x7D)
        }
    }

    private mutating func append(_ convertible: any CustomStringConvertible & Sendable) {
        switch convertible {
        case let number as Int: literal(String(number))
        case let truth as Bool: literal(truth ? "true" : "false")
        case let number as any FixedWidthInteger: literal(number.description)
        case let number as Double where number.isFinite: literal(number.description)
        default: string(convertible.description)
        }
    }

    private mutating func literal(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// Writes a text with everything escaped that RFC 8259 asks for, and DEL and the two line separators besides,
    /// which some readers of lines break at.
    private mutating func string(_ text: String) {
        bytes.append(0x22)
        var count = 0
        for scalar in text.unicodeScalars {
            count += UTF8.width(scalar)
            guard count <= Self.greatestText else {
                literal("…")
                break
            }
            append(scalar)
        }
        bytes.append(0x22)
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x22: literal("\\\"")
        case 0x5C: literal("\\\\")
        case 0x0A: literal("\\n")
        case 0x0D: literal("\\r")
        case 0x09: literal("\\t")
        case 0x00..<0x20, 0x7F, 0x2028, 0x2029: unicodeEscape(scalar.value)
        case 0x20..<0x7F: bytes.append(UInt8(truncatingIfNeeded: scalar.value))
        default: bytes.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
        }
    }

    private mutating func unicodeEscape(_ value: UInt32) {
        literal("\\u")
        for shift in stride(from: UInt32(12), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> shift & 0xF)
            bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }
}
