/// Reads the responses of one keep-alive connection out of the bytes as they arrive.
///
/// It knows what a load of short requests needs: HTTP/1.1 and a body of stated length.
struct HTTPResponseReader {
    /// One whole response.
    struct Response: Equatable {
        var status: Int
        var body: [UInt8]
        /// The server closes the connection after it.
        var closes: Bool
    }

    /// The largest response that is read, in bytes.
    static let maximumBytes = 1 << 20

    private var buffer: [UInt8] = []

    /// Adds what has arrived.
    mutating func received(_ bytes: some Sequence<UInt8>) {
        buffer.append(contentsOf: bytes)
    }

    /// The next whole response; nil until it is there.
    ///
    /// - Throws: ``CommandLineError`` when the bytes are no such response.
    mutating func next() throws(CommandLineError) -> Response? {
        guard let headEnd = Self.endOfHead(buffer) else {
            guard buffer.count <= Self.maximumBytes else { throw Self.malformed("its head is too long") }
            return nil
        }
        let status = try Self.status(buffer[..<headEnd])
        var length: Int?
        var closes = false
        for line in Self.lines(buffer[..<headEnd]) {
            if let value = Self.value(of: "content-length", in: line) {
                length = Int(value)
            } else if let value = Self.value(of: "connection", in: line) {
                closes = value.lowercased() == "close"
            } else if Self.value(of: "transfer-encoding", in: line) != nil {
                throw Self.malformed("its body has no stated length")
            }
        }
        let count = length ?? (status == 204 || status == 304 ? 0 : -1)
        guard (0...Self.maximumBytes).contains(count) else {
            throw Self.malformed("its length is missing or too large")
        }
        let bodyStart = headEnd + 4
        guard buffer.count - bodyStart >= count else { return nil }
        let body = Array(buffer[bodyStart..<(bodyStart + count)])
        buffer.removeSubrange(..<(bodyStart + count))
        return Response(status: status, body: body, closes: closes)
    }

    /// Where the empty line that ends the head begins.
    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first { start in
            bytes[start] == 13 && bytes[start + 1] == 10 && bytes[start + 2] == 13 && bytes[start + 3] == 10
        }
    }

    private static func status(_ head: ArraySlice<UInt8>) throws(CommandLineError) -> Int {
        guard head.starts(with: "HTTP/1.1 ".utf8),
            let status = Int(String(decoding: head.dropFirst(9).prefix(3), as: UTF8.self)), status >= 200
        else {
            throw malformed("it does not begin like one of HTTP/1.1")
        }
        return status
    }

    /// The header lines, without the status line.
    private static func lines(_ head: ArraySlice<UInt8>) -> some Sequence<ArraySlice<UInt8>> {
        head.split(separator: 10).dropFirst().lazy.map { $0.last == 13 ? $0.dropLast() : $0 }
    }

    private static func value(of name: StaticString, in line: ArraySlice<UInt8>) -> String? {
        let length = name.utf8CodeUnitCount
        guard line.count > length, line[line.startIndex + length] == UInt8(ascii: ":") else { return nil }
        let isMatch = name.withUTF8Buffer { wanted in
            zip(line, wanted).allSatisfy { ($0 | 0x20) == $1 || $0 == $1 }
        }
        guard isMatch else { return nil }
        let value = line.dropFirst(length + 1).drop { $0 == 32 || $0 == 9 }
        return String(decoding: value, as: UTF8.self)
    }

    private static func malformed(_ reason: String) -> CommandLineError {
        CommandLineError(.answer, "the gateway's response cannot be read: \(reason)")
    }
}
