import OutboundHTTP
import Testing

@Suite("Requests")
struct RequestTests {
    private func refusal(_ name: String, _ value: String) throws -> OutboundError? {
        let url = try OutboundURL("http://h.test/")
        return failure { () throws(OutboundError) in
            try OutboundRequest(url: url, headers: [OutboundRequest.Header(name, value)])
        }
    }

    @Test(
        "refuse a value that would end the header, without repeating it",
        arguments: [
            "a\r\nX-Injected: 1", "a\nb", "a\rb", "a\u{0}b", "\u{1B}", "\u{7F}", "hunter2\r\n\r\nGET / HTTP/1.1",
        ]
    )
    func injectedValues(value: String) throws {
        let refusal = try refusal("X-Note", value)
        let error = try #require(refusal)
        #expect(error.code == .invalidRequest)
        #expect(error.outcome == .notSent)
        #expect(error.message.contains("X-Note"))
        #expect(!error.message.contains("Injected") && !error.message.contains("hunter2"))
    }

    @Test(
        "refuse a name that is none",
        arguments: ["", " ", "X Note", "X-Note:", "X\r\nY", "Ñ", "a(b)", "\"x\"", "x\u{0}", "x/y", "x{y}"]
    )
    func names(name: String) throws {
        #expect(try refusal(name, "a")?.code == .invalidRequest)
    }

    @Test(
        "refuse what belongs to the connection",
        arguments: [
            "Host", "content-length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade",
            "Proxy-Connection", "Expect", "HTTP2-Settings",
        ]
    )
    func connectionHeaders(name: String) throws {
        #expect(try refusal(name, "a")?.message.contains(name) == true)
    }

    @Test(
        "take other headers",
        arguments: [
            ("Authorization", "Bearer a.b-c~"), ("X-Empty", ""), ("x_y", "ñ\tb"), ("Idempotency-Key", "k"),
            ("!#$%&'*+-.^_`|~", "1"),
        ]
    )
    func goodHeaders(name: String, value: String) throws {
        #expect(try refusal(name, value) == nil)
    }

    @Test("keep secrets out of their description")
    func description() throws {
        let request = try OutboundRequest(
            method: .post,
            url: OutboundURL("https://h.test/hidden?hidden"),
            headers: [OutboundRequest.Header("Authorization", "hidden")],
            body: Array("hidden".utf8)
        )
        #expect("\(request)" == "POST https://h.test")
        #expect("\(request.headers)" == "[Authorization: …]")
    }

    @Test("refuse headers beyond a size")
    func size() throws {
        #expect(try refusal("x", String(repeating: "a", count: 60_000)) == nil)
        #expect(try refusal("x", String(repeating: "a", count: 70_000))?.code == .invalidRequest)
    }

    @Test("arrive as they were made, whatever the method", arguments: OutboundRequest.Method.allCases)
    func arrival(method: OutboundRequest.Method) async throws {
        try await TestServer.plan(script: { _ in .answer(200, [], method == .head ? "" : "done") }).run { server in
            try await withClient(allowing: server.entry) { client in
                let answer = try await client.send(
                    method,
                    server.url("/a%20b/../c?d=%5B1%5D&e"),
                    headers: [("X-One", "1"), ("X-One", "2"), ("Idempotency-Key", "k1")],
                    body: method == .post ? "{\"a\":1}" : ""
                )
                #expect(answer.status == 200)
                #expect(answer.url.description == server.url("/c?d=%5B1%5D&e"))
            }
            let request = try #require(server.requests.first)
            #expect(server.requests.count == 1)
            #expect(request.method == method.rawValue)
            #expect(request.target == "/c?d=%5B1%5D&e")
            #expect(request.values("x-one") == ["1", "2"])
            #expect(request.values("idempotency-key") == ["k1"])
            #expect(request.values("host") == ["127.0.0.1:\(server.port)"])
            #expect(request.values("user-agent") == ["batuta"])
            #expect(request.values("accept-encoding").isEmpty)
            #expect(request.body == (method == .post ? "{\"a\":1}" : ""))
            let names = Set(request.headers.map(\.name))
            #expect(names.subtracting(["content-length"]) == ["x-one", "idempotency-key", "host", "user-agent"])
        }
    }

    @Test("carry the name in the Host header while the connection goes to the address")
    func hostHeader() async throws {
        try await TestServer.plan(script: { _ in .answer(204) }).run { server in
            try await withClient(allowing: "shop.test:\(server.port)", names: ["shop.test": ["127.0.0.1"]]) { client in
                let reply = try await client.send(.get, server.url("/x", name: "Shop.Test"))
                #expect(reply.status == 204)
            }
            #expect(server.requests.first?.values("host") == ["shop.test:\(server.port)"])
            #expect(server.requests.first?.target == "/x")
        }
    }
}
