import NIOHTTP1
import Persistence
import TestSupport
import Testing

@testable import APIGatewayCore

@Suite(.requiresServers, .timeLimit(.minutes(2)))
struct IdentityStoreTests {
    /// Whatever was known of tokens is read again when the database says that it has become older.
    @Test func aGenerationThatGoesBackIsReadAnew() async throws {
        try await TestGateway.with { test in
            let first = try await token(named: "first", in: test)
            let before = try await test.number("SELECT generation FROM gateway.identity_generation")
            let second = try await token(named: "second", in: test)
            #expect(await test.post(["a"], by: test.client(token: first.token)).map(\.status) == [202])
            #expect(await test.post(["b"], by: test.client(token: second.token)).map(\.status) == [202])
            let revoked = try await test.client().send(.DELETE, "/admin/api/tokens/\(first.id)")
            #expect(revoked.status == 200)
            #expect(await test.post(["c"], by: test.client(token: first.token)).map(\.status) == [401])

            // The database is restored to the state between the two tokens.
            try await test.storage.executeAsSuperuser(
                """
                DELETE FROM gateway.api_tokens WHERE token_id = '\(second.id)';
                UPDATE gateway.api_tokens SET revoked_at = NULL WHERE token_id = '\(first.id)';
                UPDATE gateway.identity_generation SET generation = \(before)
                """
            )
            #expect(await test.post(["d"], by: test.client(token: second.token)).map(\.status) == [401])
            #expect(await test.post(["e"], by: test.client(token: first.token)).map(\.status) == [202])
        }
    }

    private func token(named name: String, in test: TestGateway) async throws -> (id: String, token: String) {
        let made = try await test.client().post(
            "/admin/api/tokens",
            json: #"{"name":"\#(name)","role":"sender"}"#
        )
        return (try test.member("token_id", of: made), try test.member("token", of: made))
    }
}
