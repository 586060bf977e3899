import Contracts
import Domain
import FoundationEssentials
import JSON
import NIOHTTP1
import Persistence
import ServiceRuntime
import TestSupport
import Testing

@testable import APIGatewayCore

@Suite(.requiresServers, .timeLimit(.minutes(2)))
struct ServerTests {
    @Test func refusalsAreProblemDocuments() async throws {
        try await TestGateway.with { test in
            let client = test.client()
            let anonymous = try await test.client(token: "x").get("/api/runs")
            #expect(anonymous.status == 401)
            #expect(anonymous.headers["WWW-Authenticate"] == ["Bearer realm=\"batuta\""])
            #expect(anonymous.headers["Content-Type"] == ["application/problem+json"])
            #expect(try test.member("code", of: anonymous) == "unauthenticated")
            let unknown = try await client.get(
                "/api/nothing",
                headers: ["Accept-Language": "es", "X-Request-Id": "q1"]
            )
            #expect(unknown.status == 404)
            #expect(try test.member("detail", of: unknown) == ProblemCode.notFound.spanishSentence)
            #expect(unknown.headers["X-Request-Id"] == ["q1"])
            #expect(unknown.headers["X-Content-Type-Options"] == ["nosniff"])
            let method = try await client.send(.PUT, "/api/signals")
            #expect(method.status == 405)
            #expect(method.headers["Allow"] == ["GET, POST"])
            let large = try await client.post(
                "/api/signals",
                json: #"{"type":"a","data":"\#(String(repeating: "x", count: 262_144))"}"#
            )
            #expect(large.status == 413)
            // The connection, or another, still serves.
            #expect(await test.post(["after"]).map(\.status) == [202])
            // Nobody answers requests here, and that is said.
            let runs = try await client.get("/api/runs").status
            #expect(runs == 503)
            let perhapsEmitted = try await client.get("/api/signals/\(UUIDv7.make().lowercased)").status
            #expect(perhapsEmitted == 503)
            let nobodys = try await client.get("/api/signals/\(UUID().lowercased)").status
            #expect(nobodys == 404)
        }
    }

    @Test func aTraceIsTakenAndReturned() async throws {
        try await TestGateway.with { test in
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let answer = try await test.client().post(
                "/api/signals",
                json: #"{"type":"a.b"}"#,
                headers: ["traceparent": parent]
            )
            let returned = try #require(answer.headers["traceparent"].first.flatMap { TraceContext(traceparent: $0) })
            #expect(returned.traceID == "0af7651916cd43dd8448eb211c80319c")
        }
    }

    @Test func tokensAreMadeListedAndRevoked() async throws {
        try await TestGateway.with { test in
            let client = test.client()
            let body = #"{"name":"ci","role":"viewer","expires_in":"30d"}"#
            let made = try await client.post("/admin/api/tokens", json: body, headers: ["Idempotency-Key": "k"])
            #expect(made.status == 201)
            let again = try await client.post("/admin/api/tokens", json: body, headers: ["Idempotency-Key": "k"])
            #expect(again.status == 201)
            #expect(try test.member("token_id", of: again) == (try test.member("token_id", of: made)))
            #expect(try JSONDocument(parsing: again.body).root["token"] == nil)
            let other = #"{"name":"ci","role":"admin"}"#
            let reused = try await client.post("/admin/api/tokens", json: other, headers: ["Idempotency-Key": "k"])
                .status
            #expect(reused == 422)
            let viewer = test.client(token: try test.member("token", of: made))
            let forbidden = try await viewer.get("/admin/api/tokens").status
            #expect(forbidden == 403)
            #expect(await test.post(["x"], by: viewer).map(\.status) == [403])
            let first = try await client.get("/admin/api/tokens?limit=1")
            let next = try test.member("next", of: first)
            #expect(first.headers["Link"] == ["</admin/api/tokens?limit=1&cursor=\(next)>; rel=\"next\""])
            #expect(!first.text.contains(test.adminToken))
            let path = "/admin/api/tokens/\(try test.member("token_id", of: made))"
            let revoked = try await client.send(.DELETE, path).status
            #expect(revoked == 200)
            let revokedAgain = try await client.send(.DELETE, path).status
            #expect(revokedAgain == 200)
            let afterRevocation = try await viewer.get("/api/runs").status
            #expect(afterRevocation == 401)
            let unknownToken = try await client.send(.DELETE, "/admin/api/tokens/\(UUIDv7.make().lowercased)").status
            #expect(unknownToken == 404)
            let actions = try await test.auditedActions()
            #expect(actions == ["tenant.create", "token.create", "token.create", "token.revoke"])
        }
    }

    @Test(arguments: [
        "[]", "{}", #"{"name":"","role":"admin"}"#, #"{"name":"a","role":"root"}"#,
        #"{"name":"a","role":"admin","tenant":"b"}"#, #"{"name":"a","role":"admin","expires_in":"1y"}"#,
    ])
    func wrongTokenRequests(body: String) async throws {
        let view = try JSONDocument(parsing: body).root
        let problem = #expect(throws: GatewayProblem.self) { try TokenRequest(view) }
        #expect(problem?.status == 422)
    }

    @Test func clientsThatReadNothingAreEndedAndHoldNobodyBack() async throws {
        try await TestGateway.with(bodyPatience: .milliseconds(200)) { test in
            let server = test.gateway.server
            let client = test.client()
            let before = await test.post(["before-the-greedy"], by: client)
            #expect(before.map(\.status) == [202])
            // The test's own connections stay.
            let own = server.openConnections
            // Their answers are longer than what the kernel keeps of a connection.
            let greedy = IdleConnections(
                2,
                port: server.port ?? 0,
                saying: String(repeating: "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", count: 20_000)
            )
            #expect(greedy.count == 2)
            try await eventually("they are there") { server.openConnections >= own + 2 }
            let posted = await test.post(["beside-the-greedy"], by: client)
            #expect(posted.map(\.status) == [202])
            try await eventually("they are gone", within: .seconds(60)) { server.openConnections <= own }
            withExtendedLifetime(greedy) {}
        }
    }

    @Test func slowBodiesAreEnded() async throws {
        try await TestGateway.with(bodyPatience: .milliseconds(200)) { test in
            let answer = try await RawConnection.exchange(
                port: test.gateway.server.port ?? 0,
                "POST /api/signals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(test.adminToken)\r\n"
                    + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            )
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            #expect(answer.contains("request_timeout"))
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: x\r\nX-Long: \(String(repeating: "x", count: 20_000))\r\n\r\n", "nonsense\r\n\r\n",
    ])
    func whatIsNoRequestIsAnsweredAndEnded(text: String) async throws {
        try await TestGateway.with { test in
            let answer = try await RawConnection.exchange(port: test.gateway.server.port ?? 0, text)
            #expect(answer.hasPrefix("HTTP/1.1 4"))
            #expect(answer.contains("application/problem+json"))
        }
    }

    @Test func aSecondBootstrapChangesNothing() async throws {
        try await TestGateway.with { test in
            let tenants = try await test.number("SELECT count(*) FROM gateway.tenants")
            #expect(tenants == 1)
            let secondToken = try await test.bootstrapAgain()
            #expect(secondToken == nil)
            let tokens = try await test.number("SELECT count(*) FROM gateway.api_tokens")
            #expect(tokens == 1)
        }
    }
}
