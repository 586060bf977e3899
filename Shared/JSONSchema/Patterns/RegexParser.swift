/// Reads the regular expressions of ECMA-262 with the flag `u`, without what needs more than linear time.
struct RegexParser {
    /// The most groups within one another.
    private static let maximumDepth = 32

    /// The most repetitions that `{…}` may ask for.
    private static let maximumRepetitions = 1000

    private let scalars: [Unicode.Scalar]
    private var at = 0
    private var depth = 0

    private init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    /// Reads a whole pattern.
    static func parse(_ pattern: String) throws(RegexError) -> RegexSyntax {
        var parser = RegexParser(pattern)
        let syntax = try parser.parseAlternatives()
        guard parser.next == nil else { throw parser.fault("a ) has no ( before it") }
        return syntax
    }

    private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

    private mutating func skip(_ expected: Unicode.Scalar) -> Bool {
        guard next == expected else { return false }
        at += 1
        return true
    }

    /// A fault at the character that comes next.
    private func fault(_ reason: String, at place: Int? = nil) -> RegexError {
        RegexError(.invalid, "The pattern is not understood at character \((place ?? at) + 1): \(reason).")
    }

    private mutating func parseAlternatives() throws(RegexError) -> RegexSyntax {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            throw fault("groups are nested more than \(Self.maximumDepth) levels deep")
        }
        var alternatives = [try parseSequence()]
        while skip("|") { alternatives.append(try parseSequence()) }
        return alternatives.count == 1 ? alternatives[0] : .alternatives(alternatives)
    }

    private mutating func parseSequence() throws(RegexError) -> RegexSyntax {
        var items: [RegexSyntax] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            switch scalar {
            case "^":
                at += 1
                items.append(.start)
            case "$":
                at += 1
                items.append(.end)
            default:
                let item = try parseItem(scalar)
                items.append(try parseQuantifier(of: item))
            }
        }
        return .sequence(items)
    }

    private mutating func parseItem(_ scalar: Unicode.Scalar) throws(RegexError) -> RegexSyntax {
        let place = at
        at += 1
        switch scalar {
        case ".": return .scalars(.characters)
        case "(": return try parseGroup(from: place)
        case "[": return .scalars(try parseClass(from: place))
        case "\\": return .scalars(try parseEscape(inClass: false))
        case "*", "+", "?": throw fault("nothing stands before the \(scalar) that could be repeated", at: place)
        case "{", "}", "]": throw fault("\(scalar) stands for itself only behind a backslash", at: place)
        default: return .scalars(ScalarSet(scalar.value))
        }
    }

    private mutating func parseGroup(from place: Int) throws(RegexError) -> RegexSyntax {
        if skip("?"), !skip(":") {
            throw fault("of the groups that begin with (? only (?: is supported", at: place)
        }
        let inside = try parseAlternatives()
        guard skip(")") else { throw fault("a ( has no ) after it", at: place) }
        return inside
    }

    // MARK: - Repetition

    private mutating func parseQuantifier(of item: RegexSyntax) throws(RegexError) -> RegexSyntax {
        let bounds: (Int, Int?)
        switch next {
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "?": bounds = (0, 1)
        case "{": bounds = try parseBounds()
        default: return item
        }
        at += 1
        // Whether few or many repetitions are tried first makes no difference to whether a text matches.
        _ = skip("?")
        if let next, ["*", "+", "?", "{"].contains(next) { throw fault("a repetition is repeated") }
        return .repeated(item, bounds.0, bounds.1)
    }

    /// Reads `{m`, `{m,` or `{m,n`; the closing brace comes next.
    private mutating func parseBounds() throws(RegexError) -> (Int, Int?) {
        let place = at
        at += 1
        let least = try parseCount(from: place)
        guard skip(",") else { return try closed((least, least), from: place) }
        guard next != "}" else { return (least, nil) }
        let most = try parseCount(from: place)
        guard most >= least else { throw fault("the bounds of a repetition are out of order", at: place) }
        return try closed((least, most), from: place)
    }

    private func closed(_ bounds: (Int, Int?), from place: Int) throws(RegexError) -> (Int, Int?) {
        guard next == "}" else { throw fault("a repetition is written {2}, {2,} or {2,5}", at: place) }
        return bounds
    }

    private mutating func parseCount(from place: Int) throws(RegexError) -> Int {
        var count: Int?
        while let digit = next, "0"..."9" ~= digit {
            at += 1
            count = (count ?? 0) * 10 + Int(digit.value - 0x30)
            guard count ?? 0 <= Self.maximumRepetitions else {
                throw RegexError(.tooLarge, "A pattern repeats at most \(Self.maximumRepetitions) times.")
            }
        }
        guard let count else { throw fault("a repetition is written {2}, {2,} or {2,5}", at: place) }
        return count
    }

    // MARK: - Classes

    /// Reads what follows `[`.
    private mutating func parseClass(from place: Int) throws(RegexError) -> ScalarSet {
        let isInverted = skip("^")
        var ranges: [ClosedRange<UInt32>] = []
        while let scalar = next, scalar != "]" {
            let start = at
            let first = try parseClassItem()
            guard next == "-", at + 1 < scalars.count, scalars[at + 1] != "]" else {
                ranges += first.ranges
                continue
            }
            at += 1
            let last = try parseClassItem()
            guard let low = first.single, let high = last.single else {
                throw fault("a range goes from one character to another", at: start)
            }
            guard low <= high else { throw fault("the bounds of a range are out of order", at: start) }
            ranges.append(low...high)
        }
        guard skip("]") else { throw fault("a [ has no ] after it", at: place) }
        let set = ScalarSet(ranges)
        return isInverted ? set.inverted : set
    }

    private mutating func parseClassItem() throws(RegexError) -> ScalarSet {
        guard let scalar = next else { throw fault("a [ has no ] after it") }
        at += 1
        return scalar == "\\" ? try parseEscape(inClass: true) : ScalarSet(scalar.value)
    }

    // MARK: - Escapes

    /// Reads what follows a backslash.
    private mutating func parseEscape(inClass: Bool) throws(RegexError) -> ScalarSet {
        let place = at - 1
        guard let scalar = next else { throw fault("nothing follows the backslash", at: place) }
        at += 1
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.inverted
        case "w": return .words
        case "W": return ScalarSet.words.inverted
        case "s": return .spaces
        case "S": return ScalarSet.spaces.inverted
        case "t": return ScalarSet(0x09)
        case "n": return ScalarSet(0x0A)
        case "v": return ScalarSet(0x0B)
        case "f": return ScalarSet(0x0C)
        case "r": return ScalarSet(0x0D)
        case "x": return ScalarSet(try parseHex(2, from: place))
        case "u": return ScalarSet(try parseUnit(from: place))
        case "^", "$", "\\", ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "|", "/": return ScalarSet(scalar.value)
        case "-" where inClass: return ScalarSet(scalar.value)
        case "b", "B", "p", "P", "k", "1"..."9":
            throw fault("\\\(scalar) is not supported", at: place)
        default: throw fault("this character has no meaning behind a backslash", at: place)
        }
    }

    private mutating func parseHex(_ count: Int, from place: Int) throws(RegexError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = next.flatMap({ Self.hexValue($0) }) else {
                throw fault("\(count) hexadecimal digits must follow", at: place)
            }
            at += 1
            value = value << 4 | digit
        }
        return value
    }

    /// Reads what follows `\u`: four digits, a surrogate pair of two escapes, or up to six digits in braces.
    private mutating func parseUnit(from place: Int) throws(RegexError) -> UInt32 {
        var value: UInt32 = 0
        if skip("{") {
            var count = 0
            while let digit = next.flatMap({ Self.hexValue($0) }), count < 6 {
                at += 1
                count += 1
                value = value << 4 | digit
            }
            guard count > 0, skip("}") else { throw fault("up to 6 hexadecimal digits and } must follow", at: place) }
        } else {
            value = try parseHex(4, from: place)
            if value & 0xFFFF_FC00 == 0xD800, skip("\\") {
                guard skip("u") else { throw fault("half of a surrogate pair is no character", at: place) }
                let low = try parseHex(4, from: place)
                guard low & 0xFFFF_FC00 == 0xDC00 else {
                    throw fault("half of a surrogate pair is no character", at: place)
                }
                value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
            }
        }
        guard Unicode.Scalar(value) != nil else { throw fault("there is no such character", at: place) }
        return value
    }

    private static func hexValue(_ scalar: Unicode.Scalar) -> UInt32? {
        switch scalar {
        case "0"..."9": scalar.value - 0x30
        case "a"..."f": scalar.value - 0x61 + 10
        case "A"..."F": scalar.value - 0x41 + 10
        default: nil
        }
    }
}

extension ScalarSet {
    /// The one scalar of a set that has no other.
    fileprivate var single: UInt32? {
        guard let range = ranges.first, ranges.count == 1, range.count == 1 else { return nil }
        return range.lowerBound
    }
}
