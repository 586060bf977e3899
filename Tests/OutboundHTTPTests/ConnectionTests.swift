import OutboundHTTP
import ServiceLifecycle
import ServiceLifecycleTestKit
import TestSupport
import Testing

@Suite("Connections")
struct ConnectionTests {
    @Test("are used again, under a name as under an address")
    func reuse() async throws {
        try await TestServer.plan(script: { _ in .answer(200, [], "ok") }).run { server in
            let names = ["reuse.test": ["127.0.0.1"]]
            try await withClient(allowing: server.entry, names: names) { client in
                for index in 0..<20 { _ = try await client.send(.post, server.url("/\(index)"), body: "x") }
                #expect(server.acceptedCount == 1)
                for _ in 0..<20 { _ = try await client.send(.get, server.url(name: "reuse.test")) }
                #expect(server.acceptedCount == 2)
            }
            #expect(server.requests.count == 40)
            try await eventually("all are closed") { server.openCount == 0 }
        }
    }

    @Test("of an idle client are closed")
    func idle() async throws {
        try await TestServer.plan(script: { _ in .answer(200) }).run { server in
            try await withClient(allowing: server.entry, configuration: settings { $0.idleTimeout = .milliseconds(50) })
            { client in
                _ = try await client.send(.get, server.url())
                try await eventually("it is closed") { server.openCount == 0 }
                let reply = try await client.send(.get, server.url())
                #expect(reply.status == 200)
            }
        }
    }

    @Test("serve many requests at once, each answered with its own")
    func concurrent() async throws {
        try await TestServer.plan(script: { .answer(200, [], $0.target + $0.body) }).run { server in
            try await withClient(allowing: server.entry, configuration: settings { $0.connectionsPerTarget = 8 }) {
                client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<400 {
                        group.addTask {
                            let answer = try await client.send(.post, server.url("/\(index)"), body: "b\(index)")
                            #expect(answer.text == "/\(index)b\(index)")
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(server.requests.count == 400)
            #expect(server.acceptedCount <= 8)
        }
    }

    @Test("are kept for a limited number of targets, the latest ones")
    func targets() async throws {
        try await TestServer.plan(script: { _ in .answer(200) }).run { server in
            let resolver: AddressResolver = { _ in addresses(["127.0.0.1"]) }
            try await withClient(
                allowing: server.entry,
                resolver: resolver,
                configuration: settings { $0.targetLimit = 3 }
            ) { client in
                for index in 0..<10 { _ = try await client.send(.get, server.url(name: "h\(index).test")) }
                try await eventually("the others are closed") { server.openCount == 3 }
                let accepted = server.acceptedCount
                for index in 7..<10 { _ = try await client.send(.get, server.url(name: "h\(index).test")) }
                #expect(server.acceptedCount == accepted)
            }
        }
    }

    @Test("end with the service")
    func service() async throws {
        try await TestServer.plan(script: { _ in .answer(200) }).run { server in
            try await withClient(allowing: server.entry) { client in
                try await testGracefulShutdown { trigger in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { await client.run() }
                        _ = try await client.send(.get, server.url())
                        trigger.triggerGracefulShutdown()
                        try await group.waitForAll()
                    }
                }
                try await eventually("all are closed") { server.openCount == 0 }
                #expect(await client.failure(.get, server.url())?.code == .shutDown)
            }
        }
    }
}
