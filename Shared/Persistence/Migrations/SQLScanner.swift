/// Walks over an SQL text and finds where its statements end.
struct SQLScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    // Of the statement at hand.
    private var start: Int?
    private var startLine = 1
    private var parentheses = 0
    private var words: [String] = []
    /// Open `BEGIN` and `CASE` in the body of a routine.
    private var blocks = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    mutating func statements() throws(PersistenceError) -> [SQLScript.Statement] {
        guard !bytes.contains(0) else { throw PersistenceError(.script, "the text holds a NUL character") }
        var found: [SQLScript.Statement] = []
        while let byte = peek() {
            if byte == UInt8(ascii: ";"), parentheses == 0, blocks == 0 {
                if let statement = finish() { found.append(statement) }
                advance()
            } else {
                try step(byte)
            }
        }
        guard blocks == 0 else { throw unterminated("a BEGIN ATOMIC block", startLine) }
        if let statement = finish() { found.append(statement) }
        return found
    }

    private mutating func step(_ byte: UInt8) throws(PersistenceError) {
        switch byte {
        case UInt8(ascii: " "), 0x09, 0x0A, 0x0B, 0x0C, 0x0D:
            advance()
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
            skipLineComment()
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
            try skipBlockComment()
        case UInt8(ascii: "'"):
            begin()
            try skipQuoted("a string", escapes: false)
        case UInt8(ascii: "\""):
            begin()
            try skipQuoted("a quoted name", escapes: false)
        case UInt8(ascii: "$"):
            begin()
            try skipDollar()
        case _ where Self.startsWord(byte):
            begin()
            try readWord()
        case _ where Self.isDigit(byte):
            begin()
            // A number takes the letters and dollars behind it along, so that none of them opens anything.
            while let next = peek(), Self.continuesWord(next) { advance() }
        default:
            begin()
            if byte == UInt8(ascii: "(") { parentheses += 1 }
            if byte == UInt8(ascii: ")") { parentheses = max(0, parentheses - 1) }
            advance()
        }
    }

    // MARK: Statements

    private mutating func begin() {
        guard start == nil else { return }
        start = position
        startLine = line
    }

    private mutating func finish() -> SQLScript.Statement? {
        defer {
            start = nil
            parentheses = 0
            blocks = 0
            words.removeAll()
        }
        guard let start else { return nil }
        var end = position
        while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
        return SQLScript.Statement(text: String(decoding: bytes[start..<end], as: UTF8.self), line: startLine)
    }

    // MARK: Pieces

    private mutating func readWord() throws(PersistenceError) {
        let from = position
        while let byte = peek(), Self.continuesWord(byte) { advance() }
        let word = String(decoding: bytes[from..<position], as: UTF8.self).lowercased()
        if word == "e", peek() == UInt8(ascii: "'") { return try skipQuoted("a string", escapes: true) }
        if words.count < 4 { words.append(word) }
        switch word {
        case "begin" where blocks > 0 || (isRoutine && parentheses == 0): blocks += 1
        case "case" where blocks > 0: blocks += 1
        case "end" where blocks > 0: blocks -= 1
        default: break
        }
    }

    /// Whether the statement is one whose body may hold statements of its own.
    private var isRoutine: Bool {
        guard words.first == "create" else { return false }
        let kind = words.dropFirst().first == "or" ? words.dropFirst(3).first : words.dropFirst().first
        return kind == "function" || kind == "procedure"
    }

    private mutating func skipLineComment() {
        while let byte = peek(), byte != 0x0A, byte != 0x0D { advance() }
    }

    private mutating func skipBlockComment() throws(PersistenceError) {
        let opened = line
        var depth = 0
        repeat {
            switch (peek(), peek(1)) {
            case (UInt8(ascii: "/"), UInt8(ascii: "*")):
                depth += 1
                advance(2)
            case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                depth -= 1
                advance(2)
            case (nil, _):
                throw unterminated("a comment", opened)
            default:
                advance()
            }
        } while depth > 0
    }

    private mutating func skipQuoted(_ what: String, escapes: Bool) throws(PersistenceError) {
        let opened = line
        let quote = peek()
        advance()
        while let byte = peek() {
            advance()
            if byte == quote {
                // Doubled, it stands for itself; behind an escape string this matters, for the rest has escapes, too.
                guard peek() == quote else { return }
                advance()
            } else if escapes, byte == UInt8(ascii: "\\") {
                advance()
            }
        }
        throw unterminated(what, opened)
    }

    private mutating func skipDollar() throws(PersistenceError) {
        let opened = line
        var end = position + 1
        if end < bytes.count, Self.startsWord(bytes[end]) {
            while end < bytes.count, Self.continuesTag(bytes[end]) { end += 1 }
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else { return advance() }
        let delimiter = bytes[position...end]
        advance(delimiter.count)
        while position < bytes.count {
            if bytes[position...].starts(with: delimiter) { return advance(delimiter.count) }
            advance()
        }
        throw unterminated("a dollar quote", opened)
    }

    // MARK: Bytes

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] == 0x0A { line += 1 }
            position += 1
        }
    }

    private func unterminated(_ what: String, _ line: Int) -> PersistenceError {
        PersistenceError(.script, "line \(line): \(what) is opened and never closed")
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func startsWord(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lower) && byte < 0x80 || byte == UInt8(ascii: "_")
            || byte >= 0x80
    }

    private static func continuesTag(_ byte: UInt8) -> Bool {
        startsWord(byte) || isDigit(byte)
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        continuesTag(byte) || byte == UInt8(ascii: "$")
    }
}
