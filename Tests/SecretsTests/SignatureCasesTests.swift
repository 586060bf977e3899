import Foundation
import JSON
import Secrets
import TestSupport
import Testing

@Suite("The publishers' own signatures", .requiresCases)
struct SignatureCasesTests {
    private struct Vector {
        let view: JSONView

        func text(_ name: String) throws -> String { try #require(view[name]?.stringValue) }

        var body: ArraySlice<UInt8> {
            get throws { try Array(text("body_utf8").utf8)[...] }
        }
    }

    /// The one vector of a scheme.
    private func vector(_ scheme: String) throws -> Vector {
        let folder = try #require(TestCases.directory)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/webhooks/signature_vectors.json"))
        let rows = try JSONDocument(parsing: Array(bytes)).root.elements.filter { $0["scheme"]?.stringValue == scheme }
        #expect(rows.count == 1)
        return Vector(view: try #require(rows.first))
    }

    @Test("GitHub's")
    func gitHub() throws {
        let vector = try vector("github")
        let verifier = try GitHubVerifier(secrets: [Secret(vector.text("secret_utf8"))])
        #expect(try vector.text("header") == GitHubVerifier.signatureHeader)
        #expect(try verifier.verify(signature: [vector.text("value")], body: vector.body) == .valid)
        #expect(try verifier.verify(signature: [vector.text("value")], body: vector.body.dropLast()) == .wrong)
    }

    @Test("Stripe's")
    func stripe() throws {
        let vector = try vector("stripe")
        let verifier = try StripeVerifier(secrets: [Secret(vector.text("secret_utf8"))])
        let value = try [vector.text("value")]
        let time = try #require(Int64(vector.text("timestamp")))
        #expect(try vector.text("header") == StripeVerifier.signatureHeader)
        #expect(try verifier.verify(signature: value, body: vector.body, now: time + 300) == .valid)
        #expect(try verifier.verify(signature: value, body: vector.body, now: time + 301) == .tooOld)
        #expect(try verifier.verify(signature: value, body: vector.body.dropLast(), now: time) == .wrong)
    }

    @Test("Standard Webhooks'")
    func standardWebhooks() throws {
        let vector = try vector("standard-webhooks")
        let secret = try Secret(vector.text("secret"))
        let id = try vector.text(StandardWebhooks.idHeader)
        let digits = try vector.text(StandardWebhooks.timestampHeader)
        let signature = try vector.text(StandardWebhooks.signatureHeader)
        let time = try #require(Int64(digits))
        let verifier = try StandardWebhooksVerifier(keys: [secret])
        func verdict(now: Int64) throws -> SignatureVerdict {
            try verifier.verify(id: [id], timestamp: [digits], signature: [signature], body: vector.body, now: now)
        }
        #expect(try verdict(now: time - 300) == .valid)
        #expect(try verdict(now: time - 301) == .tooNew)
        let signer = try StandardWebhooksSigner(secrets: [secret])
        #expect(try signer.sign(id: id, timestamp: time, body: vector.body) == signature)
    }
}
