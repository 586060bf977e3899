import OutboundHTTP
import Testing

@Suite("The allow list")
struct AllowListTests {
    @Test("is empty when nothing is set", arguments: ["", "  ", ",", " , \n"])
    func empty(text: String) throws {
        #expect(try AllowList(text) == .empty)
    }

    @Test(
        "allows addresses of its blocks on their ports",
        arguments: [
            ("10.0.0.0/8", "10.9.8.7", 443, true), ("10.0.0.0/8", "11.0.0.0", 443, false),
            ("10.0.0.0/8:8080", "10.0.0.1", 8080, true), ("10.0.0.0/8:8080", "10.0.0.1", 8081, false),
            ("127.0.0.1:8080", "127.0.0.1", 8080, true), ("127.0.0.1:8080", "127.0.0.2", 8080, false),
            ("127.0.0.1", "127.0.0.1", 1, true), ("0.0.0.0/0", "255.255.255.255", 80, true),
            ("0.0.0.0/0", "::1", 80, false),
            ("[fd00::/8]:443", "fdff::1", 443, true), ("[fd00::/8]:443", "fdff::1", 80, false),
            ("[fd00::/8]", "fc00::1", 443, false), ("[::1]:8080", "::1", 8080, true), ("[::1]:8080", "::", 8080, false),
            ("[::/0]", "fe80::1", 1, true), ("[::/0]", "10.0.0.1", 1, false),
            ("host.test,10.0.0.0/8  192.168.0.0/16\n[::1]", "192.168.3.4", 1, true),
            ("10.0.0.10/31", "10.0.0.11", 1, true), ("10.0.0.10/31", "10.0.0.12", 1, false),
        ]
    )
    func blocks(entry: String, address: String, port: Int, isAllowed: Bool) throws {
        let address = try #require(IPAddress(address))
        #expect(try AllowList(entry).allows(address, port: port) == isAllowed)
    }

    @Test(
        "allows the very names it has",
        arguments: [
            ("host.test", "host.test", 80, true), ("HOST.Test", "host.test", 80, true),
            ("host.test:80", "host.test", 81, false), ("host.test", "a.host.test", 80, false),
            ("host.test", "xhost.test", 80, false), ("a.host.test", "host.test", 80, false),
        ]
    )
    func names(entry: String, name: String, port: Int, isAllowed: Bool) throws {
        #expect(try AllowList(entry).allows(name: name, port: port) == isAllowed)
    }

    @Test(
        "refuses an entry that it cannot read, and names it",
        arguments: [
            ("10.0.0.1/8", "behind a prefix of 8"), ("10.0.0.0/33", "A block is"), ("10.0.0.0/", "A block is"),
            ("10.0.0.0/08", "A block is"), ("10.0.0.0/-1", "A block is"), ("host.test/8", "A block is"),
            ("10.0.0.0/8:0", "A port is"), ("host.test:65536", "A port is"), ("host.test:", "A port is"),
            ("host.test:http", "A port is"), ("fd00::/8", "in brackets"), ("::1", "in brackets"),
            ("[fd00::/8", "not closed"), ("[fd00::/8]443", "colon"), ("[fd00::1/8]", "behind a prefix of 8"),
            ("[10.0.0.0/8]", "for IPv6"), ("[nonsense]", "A block is"), ("[fd00::/129]", "A block is"),
            ("http://host.test", "A port is"),
            ("*.host.test", "no valid name"), ("127.1", "ambiguous"), ("0x7f000001", "ambiguous"),
            ("host.test.", "dot"), ("user@host.test", "no valid name"), ("", "no host"),
        ]
    )
    func badEntries(entry: String, hint: String) throws {
        let text = entry.isEmpty ? ":80" : "good.test, \(entry)"
        let refusal = failure { () throws(OutboundError) in try AllowList(text) }
        let error = try #require(refusal)
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains("“\(entry.isEmpty ? ":80" : entry)”"))
        #expect(error.message.contains(hint), "\(error.message)")
        #expect(error.message.contains("BATUTA_HTTP_ALLOW"))
    }

    @Test("a named host may have any address, and a port that is named is open whatever its use")
    func namedHost() async throws {
        try await TestServer.plan(script: { _ in .answer(200) }).run { server in
            try await withClient(allowing: "inside.test", names: ["inside.test": ["127.0.0.1"]]) { client in
                let reply = try await client.send(.get, server.url(name: "inside.test"))
                #expect(reply.status == 200)
                let risky = await client.failure(.get, "http://inside.test:25/", within: .seconds(5))
                #expect(risky?.code == .portRefused)
            }
            try await withClient(allowing: "inside.test:25", names: ["inside.test": ["127.0.0.1"]]) { client in
                // Nothing listens there: that the connection was tried is what matters.
                let tried = await client.failure(.get, "http://inside.test:25/", within: .seconds(5))
                #expect(tried?.code == .connectionFailed)
            }
        }
    }
}
