import Contracts
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
@testable import Messaging

@Suite("A gateway seals the secrets of hooks anew", .requiresServers, .timeLimit(.minutes(1)))
struct HookResealingTests {
    private static let present = "the present secret"
    private static let previous = "the previous secret"

    @Test("at its start, present and previous ones, which open all the time")
    func atTheStart() async throws {
        let keys = try ["old", "new"].map { try SecretKeyRing.generate(id: $0).withText { $0 } ?? "" }
        func ring(_ keys: String...) throws -> SecretKeyRing { try SecretKeyRing(keyFile: Secret(keys.joined())) }
        let old = try ring(keys[0])
        let new = try ring(keys[1])
        try await TestGateway.with(secrets: try ring(keys[1], keys[0])) { database in
            try await Self.store(HookSecrets(ring: old), database)
        } _: { test in
            #expect(try await Self.push(test, "1", Self.present) == 202)
            #expect(try await Self.push(test, "2", Self.previous) == 202)
            try await eventually("the secrets are sealed with the new key") {
                try await test.number(
                    """
                    SELECT count(*) FROM gateway.hooks
                    WHERE position('new'::bytea IN secret) = 3 AND position('new'::bytea IN previous_secret) = 3
                    """
                ) == 1
            }
            #expect(try await Self.push(test, "3", Self.present) == 202)
            #expect(try await Self.push(test, "4", Self.previous) == 202)
            let rows = try await test.database.execute(HookRepository.named("gh", of: try TestGateway.tenant()))
            let sealed = try SealedHook(row: try #require(rows.first))
            let secrets = try HookSecrets(ring: new).open(sealed, at: .now())
            #expect(secrets == [Secret(Self.present), Secret(Self.previous)])
            #expect(throws: SecretsError.self) { try HookSecrets(ring: old).open(sealed, at: .now()) }
            // Nothing that anybody sees has changed.
            #expect(try await test.auditedActions().allSatisfy { !$0.hasPrefix("hook") })
        }
    }

    /// Stores a hook whose secret was replaced once.
    private static func store(_ secrets: HookSecrets, _ database: ServiceDatabase) async throws {
        let request = try HookRequest(try JSONDocument(parsing: #"{"name":"gh","kind":"github"}"#).root)
        var hook = Hook(
            hookID: UUIDv7.make(),
            tenant: try TestGateway.tenant(),
            request: request,
            createdAt: .now(),
            createdBy: "tests"
        )
        let previous = try secrets.seal(Secret(Self.previous), for: hook)
        try await database.client.execute(HookRepository.insertion(SealedHook(hook: hook, secret: previous)).statement)
        hook.secretVersion += 1
        hook.rotatedAt = .now()
        hook.previousUntil = Timestamp(microseconds: Timestamp.now().microseconds + 3_600_000_000)
        let present = try secrets.seal(Secret(Self.present), for: hook)
        let rotated = SealedHook(hook: hook, secret: present, previousSecret: previous)
        try await database.client.execute(HookRepository.rotation(rotated).statement)
    }

    private static func push(_ test: TestGateway, _ id: String, _ secret: String) async throws -> Int {
        let body = Array("{}".utf8)
        let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8)))
        let digits = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let client = HTTPTestClient(base: "http://127.0.0.1:\(test.gateway.server.port ?? 0)")
        let headers = [
            "Content-Type": "application/json", "X-Hub-Signature-256": "sha256=\(digits)", "X-GitHub-Event": "push",
            "X-GitHub-Delivery": id,
        ]
        return try await client.send(.POST, "/api/hooks/acme.gh", headers: headers, body: body).status
    }
}
