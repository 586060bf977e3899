/// Text in which `*` stands for any bytes, none included; `\*` and `\\` stand for themselves.
struct Wildcard: Sendable {
    /// Why a text is no wildcard.
    enum Fault: Error {
        case consecutive
        case escape
        case tooMany(Int)
    }

    /// What stands before the first `*`.
    let head: [UInt8]

    /// What stands behind the last `*`; nil where there is none, so that the head is the whole value.
    let tail: [UInt8]?

    /// What stands between them.
    private let middle: [Needle]

    /// The text as the pattern has it.
    let text: String

    /// Reads a wildcard; bytes are enough, as neither `*` nor `\` is part of a longer character.
    init(_ text: String, limit: Int) throws(Fault) {
        var parts: [[UInt8]] = [[]]
        var isEscaped = false
        var followsStar = false
        for byte in text.utf8 {
            if isEscaped {
                guard byte == UInt8(ascii: "*") || byte == UInt8(ascii: "\\") else { throw .escape }
                parts[parts.count - 1].append(byte)
                isEscaped = false
                continue
            }
            if byte == UInt8(ascii: "*") {
                guard !followsStar else { throw .consecutive }
                parts.append([])
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                parts[parts.count - 1].append(byte)
            }
            followsStar = byte == UInt8(ascii: "*")
        }
        guard !isEscaped else { throw .escape }
        guard parts.count - 1 <= limit else { throw .tooMany(parts.count - 1) }
        self.text = text
        head = parts.removeFirst()
        tail = parts.popLast()
        middle = parts.map(Needle.init)
    }

    func matches(_ value: ByteText) -> Bool {
        guard let tail else { return value.equals(head) }
        guard value.count >= head.count + tail.count, value.starts(with: head, from: 0), value.ends(with: tail) else {
            return false
        }
        var at = head.count
        let end = value.count - tail.count
        for needle in middle {
            // The leftmost place leaves the most room for what follows.
            guard let behind = needle.end(in: value, from: at, to: end) else { return false }
            at = behind
        }
        return true
    }
}

/// Bytes that are searched for in time linear in the text, however both repeat (Knuth, Morris and Pratt, 1977).
private struct Needle: Sendable {
    private let bytes: [UInt8]
    /// For every beginning, the length of its longest proper beginning that is also its end.
    private let borders: [Int]

    init(_ bytes: [UInt8]) {
        var borders = Array(repeating: 0, count: bytes.count)
        var length = 0
        for index in bytes.indices.dropFirst() {
            while length > 0, bytes[index] != bytes[length] { length = borders[length - 1] }
            if bytes[index] == bytes[length] { length += 1 }
            borders[index] = length
        }
        self.bytes = bytes
        self.borders = borders
    }

    /// The position behind the first occurrence between two positions.
    func end(in text: ByteText, from start: Int, to end: Int) -> Int? {
        guard !bytes.isEmpty else { return start }
        var length = 0
        var at = start
        while at < end {
            while length > 0, text[at] != bytes[length] { length = borders[length - 1] }
            if text[at] == bytes[length] { length += 1 }
            at += 1
            if length == bytes.count { return at }
        }
        return nil
    }
}
