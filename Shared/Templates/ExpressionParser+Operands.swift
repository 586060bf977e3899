import JSON

extension ExpressionParser {
    /// Reads a path or a literal.
    mutating func parseOperand() throws(Fault) -> Expression.Operand {
        guard at < end else { throw unexpected("a value") }
        switch bytes[at] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            return .literal(.text(try parseText()))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .literal(.number(try parseNumber()))
        case let byte where ExpressionSyntax.isNameStart(byte):
            return try parsePathOrWord()
        default:
            throw unexpected("a path, a text or a number")
        }
    }

    private mutating func parsePathOrWord() throws(Fault) -> Expression.Operand {
        let pathStart = at
        var tokens: [TemplatePath.Token] = [.name(parseName())]
        while at < end, bytes[at] == UInt8(ascii: ".") || bytes[at] == UInt8(ascii: "[") {
            guard tokens.count < limits.maximumPathLength else {
                throw Fault(.tooLong, pathStart, "A path has at most \(limits.maximumPathLength) names and indexes.")
            }
            tokens.append(try parseToken())
        }
        if tokens.count == 1, case .name(let word) = tokens[0] {
            switch word {
            case "true": return .literal(.bool(true))
            case "false": return .literal(.bool(false))
            case "null": return .literal(.null)
            default: break
            }
        }
        return .path(TemplatePath(tokens, column: column(of: pathStart)))
    }

    private mutating func parseToken() throws(Fault) -> TemplatePath.Token {
        guard skip("[") else {
            at += 1
            guard at < end, ExpressionSyntax.isNameStart(bytes[at]) else {
                throw unexpected("a name (other names are written [\"…\"])")
            }
            return .name(parseName())
        }
        skipWhitespace()
        guard at < end else { throw unexpected("an index or a name in quotes") }
        let token: TemplatePath.Token
        switch bytes[at] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): token = .name(try parseText())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): token = .index(try parseIndex())
        default: throw unexpected("an index or a name in quotes")
        }
        skipWhitespace()
        guard skip("]") else { throw unexpected("]") }
        return token
    }

    private mutating func parseIndex() throws(Fault) -> Int {
        let indexStart = at
        let number = try parseNumber()
        // Nine digits are more than any array has elements, and no sum with a length overflows.
        guard let index = Int(number.text), abs(index) < 1_000_000_000 else {
            throw Fault(.invalidNumber, indexStart, "An index is a whole number of at most nine digits.")
        }
        return index
    }

    private mutating func parseNumber() throws(Fault) -> JSONNumber {
        let numberStart = at
        while at < end, Self.isNumberPart(bytes[at]) { at += 1 }
        guard let number = JSONNumber(String(decoding: bytes[numberStart..<at], as: UTF8.self)) else {
            throw Fault(.invalidNumber, numberStart, "A number is written as in JSON, such as 12 or -0.5.")
        }
        return number
    }

    private static func isNumberPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
        default: ExpressionSyntax.isDigit(byte)
        }
    }

    /// Reads a text in single or double quotes.
    private mutating func parseText() throws(Fault) -> String {
        let textStart = at
        let quote = bytes[at]
        var text: [UInt8] = []
        at += 1
        while at < end {
            let byte = bytes[at]
            at += 1
            switch byte {
            case quote: return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text.append(try parseEscape())
            default: text.append(byte)
            }
        }
        throw ended(.unclosedText, "The text has no closing quote.", from: textStart)
    }

    private mutating func parseEscape() throws(Fault) -> UInt8 {
        guard at < end else { throw ended(.unclosedText, "The text has no closing quote.", from: at - 1) }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): return byte
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        default:
            throw Fault(.invalidEscape, at - 2, "A backslash stands before \\, a quote, n, r or t only.")
        }
    }
}
