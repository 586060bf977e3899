import Persistence
import Secrets
import ServiceBase
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("The engine's secrets are sealed anew", .requiresServers, .timeLimit(.minutes(1)))
struct SecretResealingTests {
    @Test("and reach their steps without the old key")
    func withoutTheOldKey() async throws {
        let keys = try ["old", "new"].map { try SecretKeyRing.generate(id: $0).withText { $0 } ?? "" }
        func ring(_ keys: String...) throws -> SecretKeyRing { try SecretKeyRing(keyFile: Secret(keys.joined())) }
        let old = try ring(keys[0])
        let both = try ring(keys[1], keys[0])
        let new = try ring(keys[1])
        try await ServiceDatabase.with(.engine) { (database) async throws in
            let sealed = try old.seal(Secret("value"), for: .engine(tenant: "acme", name: "token", version: 7))
            try await database.client.execute(
                PostgresStatement(
                    """
                    INSERT INTO engine.secrets (tenant, name, version, sealed, created_at, updated_at, updated_by)
                    VALUES ('acme', 'token', 7, $1, now(), now(), 'tests')
                    """,
                    [.bytes(sealed.bytes)]
                )
            )
            func texts(_ keys: SecretKeyRing) async throws -> [String: String] {
                try await SecretStore(database: database.client, keys: keys)
                    .texts(["token"], tenant: "acme", deadline: .now + .seconds(10))
            }
            #expect(try await texts(both) == ["token": "value"])
            let resealer = SecretResealer(
                columns: [.secrets],
                ring: both,
                database: database.client,
                logger: ServiceDatabase.logger
            )
            #expect(try await resealer.reseal().resealed == 1)
            #expect(try await texts(both) == ["token": "value"])
            #expect(try await texts(new) == ["token": "value"])
            await #expect(throws: StepError.self) { try await texts(old) }
        }
    }
}
