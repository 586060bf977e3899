import Crypto
import Domain
import Foundation
import JSON
import NIOHTTP1
import Persistence
import Secrets
import TestSupport
import Testing

@testable import APIGatewayCore

@Suite(.requiresServers, .timeLimit(.minutes(2)))
struct TenantLimitTests {
    @Test func aTenantOverItsRateIsRefusedWholeRequestByWholeRequest() async throws {
        let ring = try SecretKeyRing(keyFile: try SecretKeyRing.generate(id: "test"))
        var configuration = TestGateway.configuration
        configuration.intake.signalsPerSecond = 1
        try await TestGateway.with(secrets: ring, configuration: configuration) { test in
            let other = test.client(token: try await test.addTenant("other"))
            let hook = try await test.client().post("/admin/api/hooks", json: #"{"name":"gh","kind":"github"}"#)
            #expect(hook.status == 201, "\(hook.text)")
            let secret = try test.member("secret", of: hook)
            #expect(try await Self.push(test, "first", secret).status == 202)
            // With two thousand signals at once it owes more than half an hour's worth, however slow this machine is.
            let batch = try await eventually("the batch is taken", every: .milliseconds(100)) {
                try await Self.post(batchOf: 2_000, "big", test.client())
            } until: {
                $0.status == 202
            }
            #expect(try JSONValue(parsing: batch.body)["signals"]?.arrayValue?.count == 2_000)
            let stored = try await test.number("SELECT count(*) FROM gateway.signals")
            #expect(stored == 2_001)

            let refused = try await test.client().post(
                "/api/signals",
                json: #"{"type":"test.a"}"#,
                headers: ["Accept-Language": "es"]
            )
            #expect(refused.status == 429)
            #expect(try test.member("code", of: refused) == "rate_limited")
            #expect(try test.member("detail", of: refused).contains("señales por segundo"))
            let seconds = try #require(refused.headers["Retry-After"].first.flatMap { Int($0) })
            #expect((1_000...2_001).contains(seconds))
            for answer in [
                try await Self.post(batchOf: 3, "small", test.client()),
                try await Self.post(batchOf: 0, "none", test.client()), try await Self.push(test, "second", secret),
            ] {
                #expect(answer.status == 429, "\(answer.text)")
                #expect(answer.headers["Retry-After"].count == 1)
            }
            #expect(try await test.number("SELECT count(*) FROM gateway.signals") == stored)
            // Another tenant's signals, and this one's other requests, are not concerned.
            #expect(await test.post(["a", "b"], by: other).map(\.status) == [202, 202])
            #expect(try await test.client().get("/admin/api/tokens").status == 200)
        }
    }

    @Test func otherRequestsHaveARateOfTheirOwn() async throws {
        var configuration = TestGateway.configuration
        configuration.requestsPerSecond = 1
        try await TestGateway.with(configuration: configuration) { test in
            let other = test.client(token: try await test.addTenant("other"))
            let answers = try await withThrowingTaskGroup(of: HTTPTestClient.Response.self) { group in
                for _ in 0..<60 { group.addTask { try await test.client().get("/admin/api/tokens") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers.map(\.status)) == [200, 429])
            for answer in answers where answer.status == 429 {
                #expect(try test.member("code", of: answer) == "rate_limited")
                #expect(answer.headers["Retry-After"].count == 1)
            }
            #expect(await test.post((0..<20).map { "s\($0)" }).allSatisfy { $0.status == 202 })
            #expect(try await other.get("/admin/api/tokens").status == 200)
        }
    }

    @Test func whatOneTenantLeavesWaitingKeepsNobodyOut() async throws {
        let (loud, quiet) = (try #require(Tenant("acme")), try #require(Tenant("quiet")))
        var configuration = TestGateway.configuration
        configuration.intake.waiting = 40
        configuration.intake.patience = .seconds(60)
        try await TestGateway.with(configuration: configuration) { test in
            let intake = test.gateway.intake
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await Self.whileNothingIsCommitted(in: test) {
                    for batch in 0..<IntakeLimits().lanes {
                        group.addTask { try await Self.accept("under way \(batch)", of: loud, by: intake) }
                        try await eventually("a transaction has it") { intake.busyCount == batch + 1 }
                    }
                    for number in 0..<20 { group.addTask { try await Self.accept("\(number)", of: loud, by: intake) } }
                    try await eventually("as many wait as may") { intake.waitingCount == 20 }
                    for _ in 0..<3 {
                        let problem = await #expect(throws: GatewayProblem.self) {
                            try await Self.accept("too many", of: loud, by: intake)
                        }
                        #expect(problem?.code == "rate_limited" && problem?.retryAfter == 1)
                    }
                    for number in 0..<5 { group.addTask { try await Self.accept("\(number)", of: quiet, by: intake) } }
                    try await eventually("the other tenant's wait too") { intake.waitingCount == 25 }
                }
                try await group.waitForAll()
            }
            let stored = try await test.number("SELECT count(*) FROM gateway.signals")
            #expect(stored == 27)
        }
    }

    private static func accept(_ id: String, of tenant: Tenant, by intake: SignalIntake) async throws {
        let signal = IncomingSignal(
            signalID: UUIDv7.make(),
            tenant: tenant,
            type: "t",
            source: "/s",
            id: id,
            digest: [UInt8](repeating: 0, count: 32),
            event: Array("{}".utf8),
            traceparent: nil
        )
        let receipts = try await intake.accept([signal], of: tenant, credential: nil)
        #expect(receipts.map(\.isDuplicate) == [false])
    }

    /// Runs a body while nobody can take keys of signals.
    private static func whileNothingIsCommitted(
        in test: TestGateway,
        _ body: () async throws -> Void
    ) async throws {
        var superuser = test.storage.configuration
        superuser.sessionSettings["role"] = nil
        let client = PostgresClient(configuration: superuser, logger: ServiceDatabase.logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            try await client.withTransaction { transaction in
                _ = try await transaction.execute(
                    PostgresStatement("LOCK TABLE gateway.signal_keys IN ACCESS EXCLUSIVE MODE")
                )
                try await body()
            }
            group.cancelAll()
        }
    }

    private static func post(
        batchOf count: Int,
        _ prefix: String,
        _ client: HTTPTestClient
    ) async throws -> HTTPTestClient.Response {
        let events = (0..<count).map { #"{"specversion":"1.0","id":"\#(prefix)-\#($0)","source":"/s","type":"t"}"# }
        return try await client.post(
            "/api/signals",
            json: "[\(events.joined(separator: ","))]",
            headers: ["Content-Type": "application/cloudevents-batch+json"]
        )
    }

    private static func push(
        _ test: TestGateway,
        _ id: String,
        _ secret: String
    ) async throws -> HTTPTestClient.Response {
        let body = Array(#"{"ref":"refs/heads/main"}"#.utf8)
        let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8)))
        let signature = "sha256=" + code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let client = HTTPTestClient(base: "http://127.0.0.1:\(test.gateway.server.port ?? 0)")
        return try await client.send(
            .POST,
            "/api/hooks/acme.gh",
            headers: [
                "Content-Type": "application/json", "X-Hub-Signature-256": signature, "X-GitHub-Event": "push",
                "X-GitHub-Delivery": id,
            ],
            body: body
        )
    }
}
