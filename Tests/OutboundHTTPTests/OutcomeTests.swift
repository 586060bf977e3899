import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("What is known of the effect")
struct OutcomeTests {
    @Test("a refused connection sent nothing")
    func connectionRefused() async throws {
        let port = try FreePort.next()
        let error = try await withClient(allowing: "127.0.0.1") {
            await $0.failure(.post, "http://127.0.0.1:\(port)/")
        }
        #expect(error?.code == .connectionFailed)
        #expect(error?.outcome == .notSent)
        #expect(error?.isRetryable == true)
        #expect(error?.message.contains("refused") == true)
    }

    @Test("a connection that closes after the request leaves it unknown", arguments: ["", "HTTP/1.1 200 OK\r\nA: "])
    func closedAfterRequest(bytes: String) async throws {
        try await TestServer.plan(script: { _ in .bytesThenClose(bytes) }).run { server in
            let error = try await withClient(allowing: server.entry) { await $0.failure(.post, server.url()) }
            #expect(error?.code == .connectionLost)
            #expect(error?.outcome == .unknown)
            #expect(error?.status == nil)
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        "an answer that does not come, or does not end, in time leaves it unknown",
        arguments: [
            ("", nil), ("HTTP/1.1 200 OK\r\nX-Slow: ", nil),
            ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", 200),
            ("HTTP/1.1 100 Continue\r\n\r\n", nil),
            ("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9\r\n\r\n", 302),
        ] as [(String, Int?)]
    )
    func slow(bytes: String, status: Int?) async throws {
        try await TestServer.plan(script: { _ in .bytes(bytes) }).run { server in
            try await withClient(allowing: server.entry) { client in
                let start = ContinuousClock.now
                let error = await client.failure(
                    .post,
                    server.url(),
                    redirects: .follow(max: 1),
                    within: .seconds(5)
                )
                #expect(error?.code == .timedOut)
                #expect(error?.outcome == .unknown)
                #expect(error?.status == status)
                #expect(start.duration(to: .now) < patience)
                try await eventually("the connection is closed") { server.openCount == 0 }
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test("a deadline that has passed sends nothing")
    func deadlinePassed() async throws {
        try await TestServer.plan(script: { _ in .answer(200) }).run { server in
            let error = try await withClient(allowing: server.entry) {
                await $0.failure(.post, server.url(), within: .zero)
            }
            #expect(error?.code == .timedOut)
            #expect(error?.outcome == .notSent)
            #expect(server.acceptedCount == 0)
        }
    }

    @Test("a time-out while waiting for a connection sends nothing, then or later")
    func waiting() async throws {
        try await TestServer.plan(script: { $0.target == "/held" ? .bytes("") : .answer(200) }).run { server in
            try await withClient(allowing: server.entry, configuration: settings { $0.connectionsPerTarget = 1 }) {
                client in
                let holder = Task { await client.failure(.get, server.url("/held")) }
                try await eventually("the only connection is in use") { server.requests.count == 1 }
                let error = await client.failure(.post, server.url("/late"), within: .milliseconds(200))
                #expect(error?.code == .timedOut)
                #expect(error?.outcome == .notSent)
                holder.cancel()
                #expect(await holder.value?.code == .cancelled)
                let reply = try await client.send(.get, server.url("/next"))
                #expect(reply.status == 200)
            }
            #expect(server.requests.map(\.target) == ["/held", "/next"])
        }
    }

    @Test("a resolver that hangs does not outlast the deadline, and nothing is sent")
    func slowResolver() async throws {
        let resolver: AddressResolver = { _ in
            try await Task.sleep(for: .seconds(600))
            return []
        }
        let error = try await withClient(resolver: resolver) {
            await $0.failure(.post, "http://slow.test/", within: .milliseconds(100))
        }
        #expect(error?.code == .timedOut || error?.code == .resolutionFailed)
        #expect(error?.outcome == .notSent)
    }

    @Test("a cancelled task cancels its request")
    func cancelled() async throws {
        try await TestServer.plan(script: { _ in .bytes("") }).run { server in
            try await withClient(allowing: server.entry) { client in
                let task = Task { await client.failure(.post, server.url(), within: .seconds(600)) }
                try await eventually("the request arrives") { server.requests.count == 1 }
                task.cancel()
                let error = await task.value
                #expect(error?.code == .cancelled)
                #expect(error?.outcome == .unknown)
                try await eventually("the connection is closed") { server.openCount == 0 }
            }
        }
    }

    @Test("what was reported as not sent never arrives, however the cancellation falls")
    func cancellationRace() async throws {
        var generator = SeededGenerator.random()
        try await TestServer.plan(script: { $0.target == "/end" ? .answer(200) : .bytes("") }).run { server in
            try await withClient(allowing: server.entry) { client in
                var unsent: Set<String> = []
                var unknownCount = 0
                let limit = ContinuousClock.now + patience
                var index = 0
                while index < 400 || unsent.isEmpty || unknownCount == 0, .now < limit {
                    let path = "/\(index)"
                    let task = Task { await client.failure(.post, server.url(path)) }
                    // From nothing to about the time that a request takes to arrive.
                    let pause = Bool.random(using: &generator) ? 0 : Int.random(in: 0..<2_000, using: &generator)
                    if pause > 0 { try await Task.sleep(for: .microseconds(pause)) }
                    task.cancel()
                    let error = await task.value
                    #expect(error?.code == .cancelled)
                    if error?.outcome == .notSent { unsent.insert(path) } else { unknownCount += 1 }
                    index += 1
                }
                let end = try await client.send(.get, server.url("/end"))
                #expect(end.status == 200)
                try await eventually("only the last connection is open") { server.openCount == 1 }
                let arrived = server.requests.map(\.target)
                #expect(!unsent.isEmpty && unknownCount > 0)
                #expect(unsent.isDisjoint(with: arrived))
            }
        }
    }

    @Test("the next address is tried when the first has no listener")
    func nextAddress() async throws {
        try await TestServer.plan(script: { _ in .answer(200) }).run { server in
            let names = ["two.test": ["127.0.0.3", "127.0.0.1"]]
            try await withClient(allowing: "two.test", names: names) { client in
                let reply = try await client.send(.post, server.url(name: "two.test"))
                #expect(reply.status == 200)
                let reply2 = try await client.send(.post, server.url(name: "two.test"))
                #expect(reply2.status == 200)
            }
            #expect(server.requests.count == 2)
            #expect(server.acceptedCount == 1)
        }
    }

    @Test("an address that worked is tried first, and one that did not last")
    func addressOrder() async throws {
        try await TestServer.plan(script: { _ in .answer(200) }).run { server in
            let names = ["three.test": ["127.0.0.3", "127.0.0.1", "127.0.0.4"]]
            try await withClient(allowing: "three.test", names: names) { client in
                _ = try await client.send(.post, server.url(name: "three.test"))
                let origin = try OutboundURL(server.url(name: "three.test")).origin
                let order = client.pool.order(addresses(["127.0.0.3", "127.0.0.4", "127.0.0.1"]), of: origin)
                #expect(order == addresses(["127.0.0.1", "127.0.0.4", "127.0.0.3"]))
            }
        }
    }

    @Test("a client that is shut down sends nothing, and fails what is under way")
    func shutDown() async throws {
        try await TestServer.plan(script: { _ in .bytes("") }).run { server in
            try await withClient(allowing: server.entry) { client in
                let task = Task { await client.failure(.post, server.url("/held")) }
                try await eventually("the request arrives") { server.requests.count == 1 }
                await client.shutdown()
                #expect(await task.value?.outcome == .unknown)
                let later = await client.failure(.post, server.url("/later"))
                #expect(later?.code == .shutDown)
                #expect(later?.outcome == .notSent)
            }
            #expect(server.requests.map(\.target) == ["/held"])
        }
    }
}
