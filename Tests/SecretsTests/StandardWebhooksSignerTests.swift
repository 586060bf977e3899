import Foundation
import Secrets
import Testing

@Suite("Signing as Standard Webhooks")
struct StandardWebhooksSignerTests {
    private func sign(_ keys: [String], id: String = Vectors.messageID, time: Int64 = Vectors.time) throws -> String {
        try StandardWebhooksSigner(secrets: keys.map { Secret($0) })
            .sign(id: id, timestamp: time, body: Vectors.body[...])
    }

    @Test("gives the independent vectors, one for each secret, in their order")
    func vectors() throws {
        #expect(try sign([Vectors.sharedKeys[0]]) == Vectors.shared[0])
        #expect(try sign([Vectors.sharedKeys[0]], time: 0) == Vectors.sharedAtZero)
        #expect(try sign(Vectors.sharedKeys) == Vectors.shared.joined(separator: " "))
        #expect(try sign(Vectors.sharedKeys.reversed()) == Vectors.shared.reversed().joined(separator: " "))
    }

    @Test("a generated secret signs what its verifier takes, and no two are alike")
    func generated() throws {
        let secret = StandardWebhooksSigner.generateSecret()
        let text = try #require(secret.text)
        #expect(text.hasPrefix("whsec_") && Data(base64Encoded: String(text.dropFirst(6)))?.count == 32)
        #expect(secret != StandardWebhooksSigner.generateSecret())
        let id = String(repeating: "~", count: 255)
        let verdict = try StandardWebhooksVerifier(keys: [secret]).verify(
            id: [id],
            timestamp: ["999999999999"],
            signature: [sign([text], id: id, time: 999_999_999_999)],
            body: Vectors.body[...],
            now: 999_999_999_700
        )
        #expect(verdict == .valid)
    }

    @Test("an id that a receiver would refuse is not signed", arguments: ["", "a.b", "a b", "ñ", "a\n"])
    func invalidIDs(id: String) throws {
        let error = try #require(throws: SecretsError.self) { try sign(Vectors.sharedKeys, id: id) }
        #expect(error.code == .invalidMessageID)
    }

    @Test("nor a time", arguments: [-1, .min, 1_000_000_000_000, .max])
    func invalidTimes(time: Int64) throws {
        let error = try #require(throws: SecretsError.self) { try sign(Vectors.sharedKeys, time: time) }
        #expect(error.code == .invalidMessageTime)
    }

    @Test("a public key cannot sign")
    func publicKey() throws {
        let error = try #require(throws: SecretsError.self) { try sign([Vectors.publicKeys[0]]) }
        #expect(error.code == .invalidSigningSecret)
        #expect(throws: SecretsError.self) { try sign([]) }
    }
}
