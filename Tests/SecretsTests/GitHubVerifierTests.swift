import Secrets
import Testing

@Suite("GitHub's signatures")
struct GitHubVerifierTests {
    private let verifier: GitHubVerifier

    init() throws {
        verifier = try GitHubVerifier(secrets: [Secret(Vectors.gitHubSecret)])
    }

    private func verdict(_ signature: String...) -> SignatureVerdict {
        verifier.verify(signature: signature, body: Vectors.body[...])
    }

    @Test("the independent vectors are valid")
    func vectors() throws {
        let allBytes = (0...255).map { UInt8($0) }
        #expect(verdict("sha256=" + Vectors.gitHub) == .valid)
        #expect(verifier.verify(signature: ["sha256=" + Vectors.gitHubOfNothing], body: []) == .valid)
        #expect(verifier.verify(signature: ["sha256=" + Vectors.gitHubOfAllBytes], body: allBytes[...]) == .valid)
        // A slice is read where it stands.
        let within = ([1, 2, 3] + Vectors.body + [4])[3..<3 + Vectors.body.count]
        #expect(verifier.verify(signature: ["sha256=" + Vectors.gitHub], body: within) == .valid)
        let long = try GitHubVerifier(secrets: [Secret(String(repeating: "k", count: 200))])
        #expect(long.verify(signature: ["sha256=" + Vectors.gitHubLongSecret], body: Vectors.body[...]) == .valid)
    }

    @Test("hexadecimal of either case and blanks at the ends are taken")
    func variants() {
        #expect(verdict("sha256=" + Vectors.gitHub.uppercased()) == .valid)
        #expect(verdict(" \tsha256=" + Vectors.gitHub + " ") == .valid)
    }

    @Test("nothing, or something that is no signature, is told apart from a wrong one")
    func verdicts() {
        let code = Vectors.gitHub
        #expect(verdict() == .missing)
        #expect(verdict("sha256=" + Vectors.gitHubOfNothing) == .wrong)
        #expect(verdict("sha256=" + String(repeating: "0", count: 64)) == .wrong)
        #expect(verdict("sha256=" + code, "sha256=" + code) == .malformed)
        for text in [
            "", " ", "sha256=", code, "SHA256=" + code, "sha1=" + code, "sha256:" + code, "sha256= " + code,
            "sha256=" + code.dropLast(), "sha256=" + code + "0", "sha256=" + code.dropLast() + "g",
            "sha256=" + code.dropLast() + "é", "sha256=" + code + "," + "sha256=" + code,
            "sha256=" + code + String(repeating: " ", count: 4096), String(repeating: "a", count: 10_000_000),
        ] {
            #expect(verdict(text) == .malformed, "\(text.prefix(100))")
        }
    }

    @Test("another body or another secret is wrong, whatever bit differs")
    func wrong() throws {
        for bit in 0..<Vectors.body.count * 8 {
            var body = Vectors.body
            body[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(verifier.verify(signature: ["sha256=" + Vectors.gitHub], body: body[...]) == .wrong)
        }
        let other = try GitHubVerifier(secrets: [Secret("octo secret n")])
        #expect(other.verify(signature: ["sha256=" + Vectors.gitHub], body: Vectors.body[...]) == .wrong)
    }

    @Test("every bit of the signature counts")
    func flippedBits() throws {
        for bit in 0..<256 {
            var bytes = Vectors.bytes(Vectors.gitHub)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let text = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            #expect(verdict("sha256=" + text) == .wrong)
        }
    }

    @Test("any of up to eight secrets may have signed, wherever it stands")
    func severalSecrets() throws {
        for place in 0..<8 {
            var secrets = (0..<8).map { Secret("other \($0)") }
            secrets[place] = Secret(Vectors.gitHubSecret)
            let verifier = try GitHubVerifier(secrets: secrets)
            #expect(verifier.verify(signature: ["sha256=" + Vectors.gitHub], body: Vectors.body[...]) == .valid)
        }
    }

    @Test("no secret, an empty one, or more than eight make no verifier")
    func unusableSecrets() throws {
        for count in [0, 9] {
            let secrets = (0..<count).map { Secret("s\($0)") }
            let error = try #require(throws: SecretsError.self) { try GitHubVerifier(secrets: secrets) }
            #expect(error.code == .invalidSecretCount)
        }
        let error = try #require(throws: SecretsError.self) {
            try GitHubVerifier(secrets: [Secret("a"), Secret("")])
        }
        #expect(error.code == .invalidSigningSecret)
    }
}
