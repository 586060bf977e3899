import JSON

/// A scalar that a pattern names, compared by value.
struct Literal: Sendable, Equatable {
    let kind: JSONKind

    /// The value of a number, or 1 for `true` and 0 for `false`.
    let number: Double

    /// The UTF-8 of a string, or the text of a number that no double stands for.
    let bytes: [UInt8]

    /// What ``FieldEntry/hash`` of an equal value is.
    let hash: UInt64

    private init(_ kind: JSONKind, number: Double = 0, bytes: [UInt8] = [], hash: UInt64) {
        self.kind = kind
        self.number = number
        self.bytes = bytes
        self.hash = hash
    }

    init(text: [UInt8]) {
        self.init(.string, bytes: text, hash: ByteHash.of(text))
    }

    /// The value of a scalar; nil for a container.
    init?(_ view: JSONView) {
        switch view.kind {
        case .string:
            self.init(text: Array((view.stringValue ?? "").utf8))
        case .number:
            if let number = view.doubleValue {
                self.init(.number, number: number, hash: Self.hash(of: number))
            } else {
                let bytes = Array(view.rawBytes)
                let number = bytes.first == UInt8(ascii: "-") ? -Double.infinity : .infinity
                self.init(.number, number: number, bytes: bytes, hash: ByteHash.of(bytes))
            }
        case .bool:
            let value = view.boolValue == true
            self.init(.bool, number: value ? 1 : 0, hash: Self.hash(ofBool: value))
        case .null:
            self.init(.null, hash: Self.hashOfNull)
        case .array, .object:
            return nil
        }
    }

    static let hashOfNull = ByteHash.of(1, 0)

    static func hash(ofBool value: Bool) -> UInt64 { ByteHash.of(2, value ? 1 : 0) }

    /// The hash of a finite number; both zeros are one.
    static func hash(of number: Double) -> UInt64 { ByteHash.of(3, number == 0 ? 0 : number.bitPattern) }

    /// Whether an event's value is this one.
    @inline(__always)
    func matches(_ entry: FieldEntry, _ text: ByteText) -> Bool {
        guard entry.hash == hash, entry.kind == kind else { return false }
        switch kind {
        case .string: return text.equals(bytes)
        case .number: return number == entry.number && (number.isFinite || text.equals(bytes))
        case .bool: return number == entry.number
        case .null: return true
        case .array, .object: return false
        }
    }
}
