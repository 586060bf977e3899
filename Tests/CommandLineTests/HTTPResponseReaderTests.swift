import Testing

@testable import CommandLineCore

@Suite struct HTTPResponseReaderTests {
    private static let accepted = "HTTP/1.1 202 Accepted\r\nServer: x\r\ncontent-length: 11\r\n\r\n{\"id\":\"42\"}"

    private static func responses(_ chunks: [[UInt8]]) throws -> [HTTPResponseReader.Response] {
        var reader = HTTPResponseReader()
        var found: [HTTPResponseReader.Response] = []
        for chunk in chunks {
            reader.received(chunk)
            while let response = try reader.next() { found.append(response) }
        }
        return found
    }

    @Test func readsAResponseCutAnywhere() throws {
        let bytes = Array(Self.accepted.utf8)
        for cut in 0...bytes.count {
            let found = try Self.responses([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(found == [.init(status: 202, body: Array("{\"id\":\"42\"}".utf8), closes: false)], "cut at \(cut)")
        }
    }

    @Test func readsByteByByteAndSeveralInOnePiece() throws {
        let second = "HTTP/1.1 503 Service Unavailable\r\nCONTENT-LENGTH:0\r\nConnection: Close\r\n\r\n"
        let bytes = Array((Self.accepted + second).utf8)
        let expected: [HTTPResponseReader.Response] = [
            .init(status: 202, body: Array("{\"id\":\"42\"}".utf8), closes: false),
            .init(status: 503, body: [], closes: true),
        ]
        #expect(try Self.responses([bytes]) == expected)
        #expect(try Self.responses(bytes.map { [$0] }) == expected)
    }

    @Test func aResponseWithoutContentNeedsNoLength() throws {
        let found = try Self.responses([Array("HTTP/1.1 204 No Content\r\nA: b\r\n\r\n".utf8)])
        #expect(found == [.init(status: 204, body: [], closes: false)])
    }

    @Test(arguments: [
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n\r\n",
    ]) func refusesWhatItCannotRead(text: String) {
        #expect(throws: CommandLineError.self) { try Self.responses([Array(text.utf8)]) }
    }

    @Test func refusesAHeadThatNeverEnds() {
        let endless = [UInt8](repeating: UInt8(ascii: "a"), count: HTTPResponseReader.maximumBytes + 1)
        #expect(throws: CommandLineError.self) { try Self.responses([endless]) }
    }
}
