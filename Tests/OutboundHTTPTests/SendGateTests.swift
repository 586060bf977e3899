import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import OutboundHTTP

@Suite("The gate of a request")
struct SendGateTests {
    private let key = ClientPool.Key(
        origin: OutboundURL.Origin(scheme: .http, host: .name("h.test"), port: 80),
        address: IPAddress(v4: 0x7F00_0001)
    )

    /// A connected channel with the handlers that the HTTP client puts there.
    private func channel(to text: String, port: Int) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: HTTPRequestEncoder())
        try channel.connect(to: SocketAddress(ipAddress: text, port: port)).wait()
        return channel
    }

    private func head(_ path: String) -> HTTPClientRequestPart {
        .head(HTTPRequestHead(version: .http1_1, method: .POST, uri: path))
    }

    @Test("is decided once")
    func once() {
        let sent = SendGate(target: "/")
        #expect(sent.open())
        #expect(!sent.close())
        let abandoned = SendGate(target: "/")
        #expect(abandoned.close())
        #expect(!abandoned.open())
        #expect(!abandoned.close())
    }

    @Test("lets the request pass with its true path")
    func passes() throws {
        let gates = SendGates()
        let channel = try channel(to: "127.0.0.1", port: 80)
        try SendGateHandler.install(on: channel, gates: gates, key: key).wait()
        let path = gates.add(SendGate(target: "/true?a"))
        try channel.writeOutbound(head(path))
        let bytes = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(String(buffer: bytes).hasPrefix("POST /true?a HTTP/1.1\r\n"))
    }

    @Test("when closed, or unknown, lets nothing pass and ends the connection", arguments: [true, false])
    func closed(isKnown: Bool) throws {
        let gates = SendGates()
        let channel = try channel(to: "127.0.0.1", port: 80)
        try SendGateHandler.install(on: channel, gates: gates, key: key).wait()
        let gate = SendGate(target: "/true")
        let path = isKnown ? gates.add(gate) : "/77"
        #expect(gate.close())
        #expect(throws: ChannelError.self) { try channel.writeOutbound(head(path)) }
        #expect(throws: (any Error).self) { try channel.writeOutbound(HTTPClientRequestPart.end(nil)) }
        let written = try channel.readOutbound(as: ByteBuffer.self)
        #expect(written == nil)
        let isActive = channel.isActive
        #expect(!isActive)
    }

    @Test(
        "is not put on a connection that leads elsewhere",
        arguments: [("127.0.0.2", 80), ("127.0.0.1", 81), ("::1", 80), ("::ffff:127.0.0.1", 80)]
    )
    func misdirected(address: String, port: Int) throws {
        let channel = try channel(to: address, port: port)
        let future = SendGateHandler.install(
            on: channel,
            gates: SendGates(),
            key: key
        )
        #expect(throws: SendGateHandler.MisdirectedConnection.self) { try future.wait() }
        let isActive = channel.isActive
        #expect(!isActive)
    }

    @Test(
        "certificates cover their very names, and one label with a wildcard",
        arguments: [
            ("shop.test", "shop.test", true), ("SHOP.Test", "shop.test", true), ("*.shop.test", "a.shop.test", true),
            ("*.shop.test", "shop.test", false), ("*.shop.test", "a.b.shop.test", false),
            ("*.test", "shop.test", false),
            ("a*.shop.test", "ab.shop.test", false), ("*", "shop", false), ("*.", "shop", false), ("", "shop", false),
            ("shop.test", "a.shop.test", false), ("shop.test.", "shop.test", false), ("*.*.test", "a.b.test", false),
            ("shop.test\0.evil.test", "shop.test", false),
        ]
    )
    func certificateNames(pattern: String, name: String, isCovered: Bool) {
        #expect(CertificateNames.matches(pattern, name) == isCovered)
    }
}
