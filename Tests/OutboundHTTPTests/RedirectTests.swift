import OutboundHTTP
import Testing

@Suite("Redirects")
struct RedirectTests {
    @Test("are answers unless they are to be followed", arguments: [301, 302, 303, 307, 308])
    func refused(status: Int) async throws {
        try await TestServer.plan(script: { _ in .answer(status, ["Location: /next"]) }).run { server in
            let answer = try await withClient(allowing: server.entry) { try await $0.send(.get, server.url()) }
            #expect(answer.status == status)
            #expect(answer.headers["location"] == "/next")
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        "change the method as browsers do",
        arguments: [
            (301, OutboundRequest.Method.post, "GET"), (302, .post, "GET"), (303, .post, "GET"), (303, .put, "GET"),
            (303, .delete, "GET"), (303, .head, "HEAD"), (301, .put, "PUT"), (302, .delete, "DELETE"),
            (307, .post, "POST"), (308, .post, "POST"), (307, .patch, "PATCH"), (301, .get, "GET"),
            (302, .head, "HEAD"),
        ]
    )
    func methods(status: Int, method: OutboundRequest.Method, expected: String) async throws {
        let script: TestServer.Script = { request in
            request.target == "/" ? .answer(status, ["Location: next?a#b"]) : .answer(200)
        }
        try await TestServer.plan(script: script).run { server in
            let sendsBody = method == .post || method == .put || method == .patch
            let answer = try await withClient(allowing: server.entry) { client in
                try await client.send(
                    method,
                    server.url(),
                    headers: [("Content-Type", "text/plain"), ("X-Kept", "1")],
                    body: sendsBody ? "body" : "",
                    redirects: .follow(max: 5)
                )
            }
            #expect(answer.status == 200 && answer.hops == 1)
            #expect(answer.url.description == server.url("/next?a"))
            let second = try #require(server.requests.last)
            #expect(server.requests.count == 2)
            #expect(second.method == expected)
            #expect(second.values("x-kept") == ["1"])
            let keepsBody = sendsBody && expected == method.rawValue
            #expect(second.body == (keepsBody ? "body" : ""))
            #expect(second.values("content-type").isEmpty == (expected != method.rawValue))
        }
    }

    @Test("are followed so many times and not once more")
    func limit() async throws {
        try await TestServer.plan(script: { .answer(302, ["Location: \($0.target)x"]) }).run { server in
            try await withClient(allowing: server.entry) { client in
                let error = await client.failure(.get, server.url(), redirects: .follow(max: 3))
                #expect(error?.code == .tooManyRedirects)
                #expect(error?.outcome == .unknown)
                #expect(error?.status == 302)
            }
            #expect(server.requests.map(\.target) == ["/", "/x", "/xx", "/xxx"])
        }
    }

    @Test(
        "to a forbidden place are not followed, and the first effect is not denied",
        arguments: [
            ("http://127.0.0.2:{port}/", "address_refused"), ("http://169.254.169.254/latest/", "address_refused"),
            ("http://2130706433/", "redirect_refused"), ("http://[::ffff:127.0.0.1]:{port}/", "address_refused"),
            ("//localhost:{port}/", "address_refused"), ("file:///etc/passwd", "redirect_refused"),
            ("gopher://127.0.0.1:{port}/", "redirect_refused"), ("http://user@127.0.0.1:{port}/", "redirect_refused"),
            ("http://127.0.0.1:25/", "port_refused"), ("http://nowhere.test/", "name_not_found"),
            ("http://mixed.test:{port}/", "address_refused"),
        ]
    )
    func forbidden(location: String, code: String) async throws {
        let script: TestServer.Script = { request in
            switch request.target {
            case "/": .answer(302, ["Location: /second"])
            case "/second": .answer(307, ["Location: \(request.values("x-next")[0])"])
            default: .answer(200)
            }
        }
        try await TestServer.plan(script: script).run { server in
            let target = location.replacing("{port}", with: "\(server.port)")
            try await TestServer.plan(host: "127.0.0.2", port: server.port, script: script).run { other in
                let names = ["localhost": ["127.0.0.2"], "mixed.test": ["127.0.0.1", "127.0.0.2"]]
                let error = try await withClient(allowing: server.entry, names: names) { client in
                    await #expect(throws: OutboundError.self) {
                        try await client.send(
                            .post,
                            server.url(),
                            headers: [("X-Next", target)],
                            redirects: .follow(max: 5)
                        )
                    }
                }
                #expect(error?.code.rawValue == code)
                #expect(error?.outcome == .unknown)
                #expect(error?.status == 307)
                #expect(server.requests.map(\.target) == ["/", "/second"])
                #expect(other.acceptedCount == 0)
            }
        }
    }

    @Test("without one target are answers, and with several are refused")
    func locations() async throws {
        let script: TestServer.Script = { request in
            request.target == "/none" ? .answer(302) : .answer(302, ["Location: /a", "Location: /b"])
        }
        try await TestServer.plan(script: script).run { server in
            try await withClient(allowing: server.entry) { client in
                let none = try await client.send(.get, server.url("/none"), redirects: .follow(max: 5))
                #expect(none.status == 302)
                let several = await client.failure(.get, server.url("/several"), redirects: .follow(max: 5))
                #expect(several?.code == .redirectRefused)
            }
        }
    }

    @Test("take secrets along within an origin, and not to another", arguments: [true, false])
    func secrets(isSameOrigin: Bool) async throws {
        let final: TestServer.Script = { _ in .answer(200) }
        try await TestServer.plan(script: final).run { other in
            let location = isSameOrigin ? "/final" : other.url("/final")
            let script: TestServer.Script = { request in
                request.target == "/" ? .answer(307, ["Location: \(location)"]) : .answer(200)
            }
            try await TestServer.plan(script: script).run { server in
                try await withClient(allowing: "127.0.0.1") { client in
                    _ = try await client.send(
                        .post,
                        server.url(),
                        headers: [
                            ("Authorization", "a"), ("cookie", "b"), ("Proxy-Authorization", "c"), ("X-Api-Key", "d"),
                            ("X-Plain", "e"),
                        ],
                        sensitive: ["X-API-key"],
                        redirects: .follow(max: 5)
                    )
                }
                let first = try #require(server.requests.first)
                let last = try #require(isSameOrigin ? server.requests.last : other.requests.last)
                #expect(last.target == "/final")
                for name in ["authorization", "cookie", "proxy-authorization", "x-api-key"] {
                    #expect(first.values(name).count == 1)
                    #expect(last.values(name).count == (isSameOrigin ? 1 : 0), "\(name)")
                }
                #expect(last.values("x-plain") == ["e"])
            }
        }
    }

    @Test("secrets do not come back with the first origin")
    func secretsStayGone() async throws {
        let back: TestServer.Script = { .answer(307, ["Location: \($0.values("x-home")[0])"]) }
        try await TestServer.plan(script: back).run { other in
            let script: TestServer.Script = { request in
                request.target == "/" ? .answer(307, ["Location: \(other.url())"]) : .answer(200)
            }
            try await TestServer.plan(script: script).run { server in
                try await withClient(allowing: "127.0.0.1") { client in
                    let answer = try await client.send(
                        .get,
                        server.url(),
                        headers: [("Authorization", "a"), ("X-Home", server.url("/home"))],
                        redirects: .follow(max: 5)
                    )
                    #expect(answer.hops == 2)
                }
                #expect(server.requests.map { $0.values("authorization").count } == [1, 0])
            }
        }
    }

    @Test("with a large body of their own are followed all the same")
    func largeBody() async throws {
        let script: TestServer.Script = { request in
            request.target == "/"
                ? .endless("HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 100000000\r\n\r\n")
                : .answer(200, [], "here")
        }
        try await TestServer.plan(script: script).run { server in
            try await withClient(allowing: server.entry) { client in
                let answer = try await client.send(.get, server.url(), redirects: .follow(max: 1))
                #expect(answer.text == "here")
            }
        }
    }
}
