import Crypto
import JSON
import Testing

@Suite("Ed25519: vectors of RFC 8032")
struct Ed25519VectorTests {
    @Test("the library that signs notes signs and verifies as the vectors say, and refuses what they refuse")
    func vectors() throws {
        let rows = Array(try CaseFiles.document("rfc8032_vectors.json").elements)
        #expect(rows.count == 16)
        for row in rows {
            let name = try row.text("name")
            let key = try Curve25519.Signing.PublicKey(rawRepresentation: Hex.bytes(row.text("public")))
            let (message, signature) = try (Hex.bytes(row.text("message")), Hex.bytes(row.text("signature")))
            let isValid = try row.flag("valid")
            #expect(key.isValidSignature(signature, for: message) == isValid, "\(name)")
            guard let secret = row["secret"]?.stringValue else { continue }
            let signer = try Curve25519.Signing.PrivateKey(rawRepresentation: Hex.bytes(secret))
            #expect(try Array(signer.signature(for: message)) == signature, "\(name)")
            #expect(signer.publicKey.rawRepresentation == key.rawRepresentation, "\(name)")
        }
    }
}
