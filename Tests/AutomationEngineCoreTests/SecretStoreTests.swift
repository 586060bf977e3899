import Domain
import FoundationEssentials
import JSON
import Persistence
import Secrets
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Secrets of attempts", .requiresServers, .timeLimit(.minutes(2)))
struct SecretStoreTests {
    private static let canary = "canary-/\"ñ"

    @Test("a sealed secret opens for its own tenant, name and version and nothing else")
    func moved() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let keys = try Self.ring()
            let sealed = try keys.seal(Secret(Self.canary), for: .engine(tenant: "acme", name: "token", version: 2))
            for (tenant, name, version) in [("acme", "token", 2), ("acme", "other", 2), ("umbrella", "token", 2)] {
                try await Self.store(sealed, tenant: tenant, name: name, version: version, in: database)
            }
            let store = SecretStore(database: database.client, keys: keys)
            let texts = try await store.texts(["token"], tenant: "acme", deadline: .now + .seconds(20))
            #expect(texts == ["token": Self.canary])
            for (tenant, name) in [("acme", "other"), ("umbrella", "token")] {
                let error = await #expect(throws: StepError.self) {
                    try await store.texts([name], tenant: tenant, deadline: .now + .seconds(20))
                }
                #expect(error?.code == "missing_secret")
                #expect(error?.detail.contains(Self.canary) == false)
            }
            // An older value cannot be put back under the present version's number.
            _ = try await database.client.execute(
                PostgresStatement("UPDATE engine.secrets SET version = 3 WHERE tenant = 'acme' AND name = 'token'")
            )
            let error = await #expect(throws: StepError.self) {
                try await store.texts(["token"], tenant: "acme", deadline: .now + .seconds(20))
            }
            #expect(error?.code == "missing_secret")
        }
    }

    @Test("a secret reaches the service, and stands in no input, output or error", arguments: [200, 404, 500])
    func masked(status: Int) async throws {
        try await ServiceDatabase.with(.engine) { database in
            let keys = try Self.ring()
            let sealed = try keys.seal(Secret(Self.canary), for: .engine(tenant: "acme", name: "token", version: 1))
            try await Self.store(sealed, tenant: "acme", name: "token", version: 1, in: database)
            try await RecordingSink.with { call, _ in
                .answer(status, body: call.body, headers: ["content-type": "text/plain", "x-echo": call.body])
            } _: { sink in
                var machine = try EffectPerformerTests.machine(
                    EffectPerformerTests.step(sink.url, body: "Bearer {{ secret:token }}")
                )
                let store = SecretStore(database: database.client, keys: keys)
                let outcome = try await TestEngine.withClient { client in
                    await EffectPerformer(client: client, secrets: store).perform(machine, 0) { true }
                }
                #expect(sink.calls.map(\.body) == ["Bearer \(Self.canary)"])
                _ = machine.attemptEnded(0, outcome, at: TestEngine.now, chance: 0)
                let step = machine.record.steps[0]
                let stored = [step.input, step.output, step.error, outcome.error?.bytes].compactMap(\.self)
                let texts = stored.map { String(decoding: $0, as: UTF8.self) }
                #expect(!texts.contains { SecretMask([Self.canary]).masking($0) != $0 }, "\(texts)")
                #expect(texts.contains { $0.contains("Bearer <secret>") })
            }
        }
    }

    @Test("a redirect to another origin takes no header with a secret along, and no body with one anywhere")
    func redirected() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let keys = try Self.ring()
            let sealed = try keys.seal(Secret("plain-canary"), for: .engine(tenant: "acme", name: "token", version: 1))
            try await Self.store(sealed, tenant: "acme", name: "token", version: 1, in: database)
            let store = SecretStore(database: database.client, keys: keys)
            try await RecordingSink.with { elsewhere in
                try await RecordingSink.with { _, _ in
                    .answer(307, headers: ["location": "\(elsewhere.url)/next"])
                } _: { sink in
                    for (body, isFollowed) in [("nothing", true), ("{{ secret:token }}", false)] {
                        let more = """
                            ,"follow_redirects":true,"headers":{"X-Key":"{{ secret:token }}","X-Plain":"p"}
                            """
                        let machine = try EffectPerformerTests.machine(
                            EffectPerformerTests.step(sink.url, body: body, more: more)
                        )
                        _ = try await TestEngine.withClient { client in
                            await EffectPerformer(client: client, secrets: store).perform(machine, 0) { true }
                        }
                        #expect(sink.calls.last?.headers["x-key"] == "plain-canary")
                        #expect(elsewhere.calls.count == 1, "followed: \(isFollowed)")
                    }
                    let call = try #require(elsewhere.calls.first)
                    #expect(call.headers["x-plain"] == "p")
                    #expect(call.headers["x-key"] == nil)
                }
            }
        }
    }

    // MARK: - What the tests share

    private static func ring() throws -> SecretKeyRing {
        try SecretKeyRing(keyFile: try SecretKeyRing.generate(id: "test"))
    }

    private static func store(
        _ sealed: SealedSecret,
        tenant: String,
        name: String,
        version: Int,
        in database: ServiceDatabase
    ) async throws {
        _ = try await database.client.execute(
            PostgresStatement(
                """
                INSERT INTO engine.secrets (tenant, name, version, sealed, created_at, updated_at, updated_by)
                VALUES ($1, $2, $3, $4, now(), now(), 'test')
                """,
                [.text(tenant), .text(name), .int(version), .bytes(sealed.bytes)]
            )
        )
    }
}
