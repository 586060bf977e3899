import JSON

/// One value or operator of a field's list.
indirect enum Condition: Sendable {
    case literal(Literal)
    case prefix([UInt8])
    case suffix([UInt8])
    case equalsIgnoringCase(CaselessText)
    case prefixIgnoringCase(CaselessText)
    case suffixIgnoringCase(CaselessText)
    case wildcard(Wildcard)
    case numeric(NumericRange)
    case address(AddressRange)
    case exists
    /// None of these: a value of another type is none of them either.
    case anythingBut([Condition])

    /// Whether an event's value meets this.
    func matches(_ entry: FieldEntry, _ text: ByteText) -> Bool {
        switch self {
        case .literal(let literal): literal.matches(entry, text)
        case .prefix(let bytes): entry.kind == .string && text.starts(with: bytes, from: 0)
        case .suffix(let bytes): entry.kind == .string && text.ends(with: bytes)
        case .equalsIgnoringCase(let caseless): entry.kind == .string && caseless.equals(text)
        case .prefixIgnoringCase(let caseless): entry.kind == .string && caseless.begins(text)
        case .suffixIgnoringCase(let caseless): entry.kind == .string && caseless.ends(text)
        case .wildcard(let wildcard): entry.kind == .string && wildcard.matches(text)
        case .numeric(let range): entry.kind == .number && range.contains(entry.number)
        case .address(let range):
            entry.kind == .string && (InternetAddress(text).map(range.contains) ?? false)
        case .exists: true
        case .anythingBut(let conditions): !conditions.contains { $0.matches(entry, text) }
        }
    }
}

/// A field with conditions.
struct Leaf: Sendable {
    /// The names from the top, dots split.
    let names: [[UInt8]]

    /// The names joined by dots.
    let path: String

    /// Which of the program's paths this is.
    let pathIndex: Int

    /// Any of these must hold for a value of the field.
    let conditions: [Condition]

    /// Whether the field may be absent.
    let allowsAbsence: Bool

    /// Where the field's list stands in the pattern.
    let pointer: JSONPointer

    /// The position among the pattern's fields as written.
    let position: Int

    @inline(__always)
    func matches(_ entry: FieldEntry, _ text: ByteText) -> Bool {
        for condition in conditions where condition.matches(entry, text) { return true }
        return false
    }
}
