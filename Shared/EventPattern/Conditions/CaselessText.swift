/// Text that is compared without regard to case, character by character.
///
/// A character of the pattern stands for itself, its lower and its upper case in any language's default mapping. The
/// relation is the pattern's, as in aws/event-ruler: `ß` stands for `SS`, but `SS` does not stand for `ß`.
struct CaselessText: Sendable {
    /// The text in lower case, where all of it is ASCII.
    let ascii: [UInt8]?

    /// What each character stands for, where some are not ASCII.
    private let characters: [[[UInt8]]]

    /// The text as the pattern has it.
    let text: [UInt8]

    init(_ string: String) {
        text = Array(string.utf8)
        guard text.contains(where: { $0 >= 0x80 }) else {
            ascii = text.map(ASCII.lowercased)
            characters = []
            return
        }
        ascii = nil
        characters = string.unicodeScalars.map { scalar in
            let own = Array(String(scalar).utf8)
            let lower = Array(scalar.properties.lowercaseMapping.utf8)
            let upper = Array(scalar.properties.uppercaseMapping.utf8)
            return [own] + (lower == own ? [] : [lower]) + (upper == own ? [] : [upper])
        }
    }

    func equals(_ value: ByteText) -> Bool { lengthAtStart(of: value) == value.count }

    func begins(_ value: ByteText) -> Bool { lengthAtStart(of: value) != nil }

    /// Whether a value ends with the text.
    func ends(_ value: ByteText) -> Bool {
        if let ascii {
            guard value.count >= ascii.count else { return false }
            return Self.equal(ascii, value, from: value.count - ascii.count)
        }
        var end = value.count
        for forms in characters.reversed() {
            guard let form = forms.first(where: { value.starts(with: $0, from: end - $0.count) }) else { return false }
            end -= form.count
        }
        return true
    }

    /// The bytes at the start of a value that are this text; nil where it does not begin so.
    private func lengthAtStart(of value: ByteText) -> Int? {
        if let ascii {
            guard value.count >= ascii.count, Self.equal(ascii, value, from: 0) else { return nil }
            return ascii.count
        }
        var at = 0
        for forms in characters {
            guard let form = forms.first(where: { value.starts(with: $0, from: at) }) else { return nil }
            at += form.count
        }
        return at
    }

    private static func equal(_ ascii: [UInt8], _ value: ByteText, from start: Int) -> Bool {
        for index in ascii.indices where ASCII.lowercased(value[start + index]) != ascii[index] { return false }
        return true
    }
}
