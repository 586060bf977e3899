import Secrets
import Testing

@Suite("Bearer tokens")
struct BearerVerifierTests {
    private func verdict(_ authorization: String..., tokens: [String] = ["s3cr3t~/+="]) throws -> SignatureVerdict {
        try BearerVerifier(tokens: tokens.map { Secret($0) }).verify(authorization: authorization)
    }

    @Test("the right token is valid, the scheme in any case")
    func valid() throws {
        for text in ["Bearer s3cr3t~/+=", "bearer s3cr3t~/+=", "BEARER  \t s3cr3t~/+= ", " Bearer s3cr3t~/+="] {
            #expect(try verdict(text) == .valid, "\(text)")
        }
        #expect(try verdict("Bearer b", tokens: ["a", "b", "c"]) == .valid)
        let longest = String(repeating: "x", count: BearerVerifier.maximumTokenBytes)
        #expect(try verdict("Bearer \(longest)", tokens: [longest]) == .valid)
    }

    @Test("anything else is wrong, missing or malformed")
    func verdicts() throws {
        #expect(try verdict() == .missing)
        #expect(try verdict("Basic czNjcjN0") == .missing)
        #expect(try verdict("s3cr3t~/+=") == .missing)
        #expect(try verdict("Bearer s3cr3t~/+=", "Bearer s3cr3t~/+=") == .malformed)
        for text in ["Bearer s3cr3t~/+", "Bearer s3cr3t~/+==", "Bearer S3cr3t~/+=", "Bearer x"] {
            #expect(try verdict(text) == .wrong, "\(text)")
        }
        for text in [
            "", "Bearer", "Bearer ", "Bearer s3cr3t~/+= x", "Bearer ñ", "Bearer a\u{0}",
            "Bearer " + String(repeating: "x", count: BearerVerifier.maximumTokenBytes + 1),
            String(repeating: "x", count: 1_000_000),
        ] {
            #expect(try verdict(text) == .malformed, "\(text.prefix(50))")
        }
    }

    @Test(
        "a token that could never come is refused",
        arguments: ["", "a b", "ñ", "a\n", String(repeating: "x", count: 2049)]
    )
    func unusable(token: String) throws {
        let error = try #require(throws: SecretsError.self) {
            try BearerVerifier(tokens: [Secret("a"), Secret(token)])
        }
        #expect(error.code == .invalidSigningSecret)
    }

    @Test("no token, or more than eight, make no verifier", arguments: [0, 9])
    func count(of tokens: Int) throws {
        let error = try #require(throws: SecretsError.self) {
            try BearerVerifier(tokens: Array(repeating: Secret("a"), count: tokens))
        }
        #expect(error.code == .invalidSecretCount)
    }
}
