import Foundation
import Testing

@testable import CommandLineCore

@Suite struct BenchSinkTests {
    @Test func answersEveryRequestOfAConnection() async throws {
        let sink = try await BenchSink.start(at: "127.0.0.1:0")
        let (host, port) = try #require(BenchSink.parts(of: sink.address))
        #expect(port > 0)
        let line = try LoneConnection(host: host, port: port)
        for _ in 0..<3 {
            let body = #"{"a":1}"#
            let request = "POST /notify HTTP/1.1\r\nHost: \(sink.address)\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            let (_, response) = try await line.exchange(Array((request + body).utf8))
            #expect(response.status == 200)
            #expect(String(decoding: response.body, as: UTF8.self) == #"{"accepted":true}"#)
            #expect(!response.closes)
        }
        await sink.stop()
    }

    @Test(arguments: ["", "host", "host:", ":80", "host:65536", "host:x", "a:b:80"])
    func refusesWhatIsNoAddress(address: String) async {
        let isAddress = BenchSink.parts(of: address) != nil
        #expect(!isAddress)
        await #expect(throws: CommandLineError.self) { try await BenchSink.start(at: address) }
    }
}
