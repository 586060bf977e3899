import OutboundHTTP
import TestSupport
import Testing

@Suite("Answers")
struct ResponseTests {
    @Test("have lower-case names, joined values and cookies apart")
    func headers() async throws {
        let fields = ["X-Two: a", "x-two: b", "Set-Cookie: one=1, x", "Set-Cookie: two=2", "Content-Type: text/plain"]
        try await TestServer.plan(script: { _ in .answer(200, fields, "ñ") }).run { server in
            let answer = try await withClient(allowing: server.entry) { try await $0.send(.get, server.url()) }
            #expect(answer.headers["x-two"] == "a, b")
            #expect(answer.headers["content-type"] == "text/plain")
            #expect(answer.headers["set-cookie"] == nil)
            #expect(answer.setCookies == ["one=1, x", "two=2"])
            #expect(answer.text == "ñ")
        }
    }

    @Test("of any status are answers", arguments: [200, 204, 304, 400, 404, 429, 500, 503, 599])
    func statuses(status: Int) async throws {
        let bytes = "HTTP/1.1 \(status) Test\r\n\(status == 204 || status == 304 ? "" : "Content-Length: 0\r\n")\r\n"
        try await TestServer.plan(script: { _ in .bytes(bytes) }).run { server in
            let answer = try await withClient(allowing: server.entry) { try await $0.send(.post, server.url()) }
            #expect(answer.status == status)
        }
    }

    @Test(
        "are not expanded",
        arguments: ["gzip", "deflate", "br"]
    )
    func encodings(encoding: String) async throws {
        try await TestServer.plan(script: { _ in .answer(200, ["Content-Encoding: \(encoding)"], "bytes") }).run {
            server in
            let answer = try await withClient(allowing: server.entry) { try await $0.send(.get, server.url()) }
            #expect(answer.text == "bytes")
        }
    }

    @Test("of exactly the limit are read, in every framing", arguments: [0, 1, 2])
    func largest(framing: Int) async throws {
        let body = String(repeating: "b", count: 1000)
        let reaction: TestServer.Reaction =
            switch framing {
            case 0: .answer(200, [], body)
            case 1: .bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n\(body)\r\n0\r\n\r\n")
            default: .bytesThenClose("HTTP/1.0 200 OK\r\n\r\n\(body)")
            }
        try await TestServer.plan(script: { _ in reaction }).run { server in
            try await withClient(allowing: server.entry) { client in
                let exact = try await client.send(.get, server.url(), limits: ResponseLimits(bodyBytes: 1000))
                #expect(exact.text == body)
                let error = await client.failure(.get, server.url(), limits: ResponseLimits(bodyBytes: 999))
                #expect(error?.code == .responseTooLarge)
                #expect(error?.outcome == .unknown)
                #expect(error?.status == 200)
                #expect(error?.isRetryable == false)
            }
        }
    }

    @Test(
        "without end are left, and no more is taken than the buffers hold",
        arguments: ["Content-Length: 999999999999", "X-Until: close"]
    )
    func endless(field: String) async throws {
        try await TestServer.plan(script: { _ in .endless("HTTP/1.1 200 OK\r\n\(field)\r\n\r\n") }).run { server in
            try await withClient(allowing: server.entry) { client in
                let error = await client.failure(.get, server.url())
                #expect(error?.code == .responseTooLarge)
                try await eventually("the connection is closed") { server.openCount == 0 }
            }
            #expect(server.sentBytes < 64 << 20)
        }
    }

    @Test("with too large a head are refused")
    func head() async throws {
        let fields = (0..<100).map { "X-\($0): \(String(repeating: "v", count: 1000))" }
        try await TestServer.plan(script: { _ in .answer(200, fields) }).run { server in
            try await withClient(allowing: server.entry) { client in
                let error = await client.failure(.get, server.url())
                #expect(error?.code == .responseTooLarge)
                #expect(error?.status == 200)
                let larger = ResponseLimits(headBytes: 200_000)
                let reply = try await client.send(.get, server.url(), limits: larger)
                #expect(reply.status == 200)
            }
        }
    }

    @Test("with a head without end are left")
    func endlessHead() async throws {
        try await TestServer.plan(script: { _ in .endless("HTTP/1.1 200 OK\r\nX-Long: ") }).run { server in
            try await withClient(allowing: server.entry) { client in
                let error = await client.failure(.get, server.url())
                #expect(error?.code == .invalidResponse)
                #expect(error?.outcome == .unknown)
                try await eventually("the connection is closed") { server.openCount == 0 }
            }
        }
    }

    @Test("to HEAD have no body, whatever length they announce")
    func headMethod() async throws {
        try await TestServer.plan(script: { _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n") }).run {
            server in
            let answer = try await withClient(allowing: server.entry) { try await $0.send(.head, server.url()) }
            #expect(answer.status == 200 && answer.body.isEmpty)
        }
    }

    @Test("that are cut off are errors, not short answers", arguments: [true, false])
    func cutOff(isChunked: Bool) async throws {
        let field = isChunked ? "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n" : "Content-Length: 10\r\n\r\nhello"
        try await TestServer.plan(script: { _ in .bytesThenClose("HTTP/1.1 200 OK\r\n\(field)") }).run { server in
            let error = try await withClient(allowing: server.entry) { await $0.failure(.get, server.url()) }
            #expect(error?.code == .connectionLost)
            #expect(error?.outcome == .unknown)
            #expect(error?.status == 200)
        }
    }

    @Test(
        "that are no HTTP are errors",
        arguments: [
            "SSH-2.0-OpenSSH\r\n", "220 mail.test ESMTP\r\n", "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \u{0}\r\n\r\n", "\u{0}\u{1}\u{2}",
        ]
    )
    func noHTTP(bytes: String) async throws {
        try await TestServer.plan(script: { _ in .bytesThenClose(bytes) }).run { server in
            let error = try await withClient(allowing: server.entry) { await $0.failure(.get, server.url()) }
            #expect(error?.code == .invalidResponse)
            #expect(error?.outcome == .unknown)
        }
    }

    @Test("of random bytes end in an answer or an error, and never harm the client")
    func random() async throws {
        var generator = SeededGenerator.random()
        let pieces = [
            "HTTP/1.1 ", "HTTP/1.0 ", "HTTP/2 ", "200 OK", "100 Continue", "101 Switching", "302 Found", "\r\n", "\n",
            "Content-Length: ", "3", "99999999999999999999", "Transfer-Encoding: chunked", "Location: /x", "\r\n\r\n",
            "0\r\n\r\n", "a", ":", "\u{0}", " ", "Connection: close", "ffffffffffffffff\r\n",
        ]
        let scripts = (0..<300).map { _ in
            (0..<Int.random(in: 0..<10, using: &generator)).reduce("HTTP/1.1 ") { text, _ in
                text + pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            }
        }
        try await TestServer.plan(
            script: { request in
                guard let index = Int(request.target.dropFirst()) else { return .answer(200) }
                return .bytesThenClose(scripts[index])
            }
        ).run { server in
            try await withClient(allowing: server.entry) { client in
                for index in scripts.indices {
                    let error = await client.failure(.get, server.url("/\(index)"), redirects: .follow(max: 2))
                    #expect(error?.code != .timedOut, "\(scripts[index].debugDescription)")
                    #expect(error?.outcome != .notSent, "\(scripts[index].debugDescription)")
                }
                let reply = try await client.send(.get, server.url("/end"))
                #expect(reply.status == 200)
            }
        }
    }
}
