import OutboundHTTP
import Synchronization
import Testing

@Suite("The guard")
struct GuardTests {
    @Test("there are enough forbidden targets in the table")
    func tableIsLong() {
        #expect(ForbiddenTarget.all.count >= 100)
        #expect(Set(ForbiddenTarget.all.map(\.url)).count == ForbiddenTarget.all.count)
    }

    @Test("no request goes to a forbidden target, however it is written", arguments: ForbiddenTarget.all)
    func forbidden(target: ForbiddenTarget) async throws {
        let resolver: AddressResolver = { _ in addresses(target.addresses) }
        let failure = try await withClient(resolver: resolver) { client in
            await client.failure(.post, target.url, within: .seconds(5))
        }
        let error = try #require(failure)
        #expect(error.code == target.code)
        #expect(error.outcome == .notSent)
        let hints = target.hint.split(separator: "|")
        #expect(hints.contains { error.message.contains($0) }, "\(error.message)")
        if [.addressRefused, .portRefused].contains(target.code) {
            #expect(error.message.contains("BATUTA_HTTP_ALLOW"))
            #expect(!error.isRetryable)
        }
    }

    @Test(
        "the public network is open",
        arguments: [
            "1.1.1.1", "8.8.8.8", "93.184.216.34", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
            "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
            "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
            "223.255.255.255", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001:81b::200e",
            "2001:200::1", "2003::1", "3ffe:ffff::1",
        ]
    )
    func publicAddresses(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressGuard.findings(for: address).isEmpty)
    }

    @Test(
        "an IPv4 address inside an IPv6 address is found",
        arguments: [
            ("::ffff:10.1.2.3", ["10.1.2.3"]), ("::10.1.2.3", ["10.1.2.3"]), ("64:ff9b::10.1.2.3", ["10.1.2.3"]),
            ("::ffff:0:10.1.2.3", ["10.1.2.3"]), ("64:ff9b:1:0a01:2:0300::", ["10.1.2.3"]),
            ("2002:0a01:203::1", ["10.1.2.3"]), ("2001:0:a01:203:0:0:f5fe:fdfc", ["10.1.2.3", "10.1.2.3"]),
            ("::1", []), ("::", []), ("2606:4700::1", []), ("10.1.2.3", []),
        ]
    )
    func embedded(text: String, inner: [String]) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressGuard.embedded(in: address) == addresses(inner))
    }

    @Test(
        "an address has one text and no other",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\u{0}", "0x1.2.3.4",
            "1.2.3.4/32", ":::", "::1%lo", "[::1]", "1::2::3", "g::1", "::ffff:1.2.3.256", "12345::",
        ]
    )
    func noAddress(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("one allowed address of a name does not open the others")
    func partlyAllowed() async throws {
        let error = try await withClient(allowing: "10.0.0.0/8", names: ["two.test": ["10.0.0.1", "192.168.0.1"]]) {
            await $0.failure(.get, "http://two.test/")
        }
        #expect(error?.code == .addressRefused)
        #expect(error?.message.contains("192.168.0.1") == true)
    }

    @Test("who allows a translator's prefix does not allow what lies behind it")
    func translated() async throws {
        let error = try await withClient(allowing: "[64:ff9b::/96]") {
            await $0.failure(.get, "http://[64:ff9b::a9fe:a9fe]/")
        }
        #expect(error?.code == .addressRefused)
        #expect(error?.message.contains("169.254.169.254 is link-local") == true)
    }

    @Test("an allowed IPv4 block does not open its IPv4-mapped twin")
    func mapped() async throws {
        let error = try await withClient(allowing: "127.0.0.0/8") {
            await $0.failure(.get, "http://[::ffff:127.0.0.1]/")
        }
        #expect(error?.code == .addressRefused)
    }

    @Test("an entry for one port opens no other")
    func otherPort() async throws {
        let error = try await withClient(allowing: "127.0.0.1:1") {
            await $0.failure(.get, "http://127.0.0.1:8081/")
        }
        #expect(error?.code == .addressRefused)
    }

    @Test("a name is resolved once, the connection goes to what was judged, and the next request is judged anew")
    func rebinding() async throws {
        try await TestServer.plan(script: { _ in .answer(200, [], "right") }).run { server in
            try await TestServer.plan(
                host: "127.0.0.2",
                port: server.port,
                script: { _ in .answer(200, [], "wrong") }
            ).run { other in
                let turns = Turns(["127.0.0.1", "127.0.0.2"])
                let resolver: AddressResolver = { _ in turns.next() }
                try await withClient(allowing: server.entry, resolver: resolver) { client in
                    let answer = try await client.send(.get, server.url(name: "rebind.test"))
                    #expect(answer.text == "right")
                    #expect(turns.count == 1)
                    let error = await client.failure(.get, server.url(name: "rebind.test"))
                    #expect(error?.code == .addressRefused)
                    #expect(turns.count == 2)
                }
                #expect(server.requests.count == 1)
                #expect(other.acceptedCount == 0)
            }
        }
    }
}

/// A resolver that gives another address every time.
private final class Turns: Sendable {
    private let texts: [String]
    private let calls = Mutex(0)

    init(_ texts: [String]) { self.texts = texts }

    var count: Int { calls.withLock { $0 } }

    func next() -> [IPAddress] {
        calls.withLock { count in
            defer { count += 1 }
            return addresses([texts[min(count, texts.count - 1)]])
        }
    }
}
