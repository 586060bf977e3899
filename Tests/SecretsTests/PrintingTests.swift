import Foundation
import Secrets
import Testing

@Suite("Nothing prints a secret")
struct PrintingTests {
    private static let canary = "c4n4ry-Zanzibar-42"

    private struct Holder {
        let name = "n"
        let secret: Secret
    }

    private enum Choice { case some(Secret) }

    private final class Keeper {
        let secret: Secret
        init(_ secret: Secret) { self.secret = secret }
    }

    /// Every text that Swift makes of a value by itself.
    private func shown(_ value: Any) -> [String] {
        var texts = [
            String(describing: value), String(reflecting: value), "\(value)", "\([value])", "\(["k": value])",
            "\(value as Any?)", "\((value, 1))",
        ]
        var text = ""
        dump(value, to: &text)
        print(value, to: &text)
        debugPrint(value, terminator: "", to: &text)
        texts.append(text)
        texts += Mirror(reflecting: value).children.map { "\($0.label ?? "") \(String(reflecting: $0.value))" }
        return texts
    }

    private func expectNothing(of canary: String, in value: Any, _ location: SourceLocation = #_sourceLocation) {
        let bytes = Array(canary.utf8)
        let numbers = bytes.prefix(4).map(String.init).joined(separator: ", ")
        let hexadecimal = bytes.prefix(6).map { String($0, radix: 16) }.joined()
        let base64 = String(Data(bytes).base64EncodedString().prefix(8))
        for text in shown(value) {
            for form in [canary, String(canary.dropFirst(4)), numbers, hexadecimal, base64] {
                #expect(!text.lowercased().contains(form.lowercased()), sourceLocation: location)
            }
        }
    }

    @Test("the search finds what is shown, in each of its forms")
    func theSearchFinds() {
        struct Open { let text: String }
        #expect(shown(Open(text: Self.canary)).allSatisfy { $0.contains(Self.canary) })
        #expect(shown(Array(Self.canary.utf8)).contains { $0.contains("99, 52, 110, 52") })
    }

    @Test("a secret shows as <secret>, alone and inside of other values")
    func secret() {
        let secret = Secret(Self.canary)
        #expect(String(describing: secret) == "<secret>")
        #expect(String(reflecting: secret) == "<secret>")
        #expect("\(secret)" == "<secret>")
        #expect("\([secret])" == "[<secret>]")
        #expect("\(Optional(secret) as Any)" == "Optional(<secret>)")
        #expect(Mirror(reflecting: secret).children.isEmpty)
        var text = ""
        dump(secret, to: &text)
        #expect(text == "- <secret>\n")
        expectNothing(of: Self.canary, in: secret)
        expectNothing(of: Self.canary, in: Holder(secret: secret))
        expectNothing(of: Self.canary, in: Choice.some(secret))
        expectNothing(of: Self.canary, in: Keeper(secret))
        expectNothing(of: Self.canary, in: ["k": [secret]])
        expectNothing(of: Self.canary, in: Result<Secret, any Error>.success(secret))
    }

    @Test("a secret can be neither encoded nor hashed, nor made a text")
    func conformances() {
        let secret: Any = Secret(Self.canary)
        #expect(!(secret is any Encodable) && !(secret is any Decodable))
        #expect(!(secret is any Hashable))
        #expect(!(secret is any LosslessStringConvertible) && !(secret is any RawRepresentable))
        #expect(!(secret is any TextOutputStreamable))
    }

    @Test("a key ring and a sealed secret show ids and sizes only")
    func ring() throws {
        let ring = try Samples.newRing()
        #expect("\(ring)" == "SecretKeyRing(2026-02, 2026-01)")
        expectNothing(of: "defghijklmnopq", in: ring)
        for text in shown(ring) {
            #expect(!text.contains(Samples.firstKey.prefix(12)) && !text.contains("SecureBytes"))
        }
        let sealed = try ring.seal(Secret(Self.canary), for: Samples.context)
        #expect("\(sealed)" == "SealedSecret(key: 2026-02, \(sealed.bytes.count) bytes)")
        expectNothing(of: Self.canary, in: sealed)
        let numbers = sealed.bytes.suffix(4).map(String.init).joined(separator: ", ")
        for text in shown(sealed) { #expect(!text.contains(numbers)) }
    }

    @Test("a verifier and a signer show none of their secrets")
    func verifiers() throws {
        let secret = Secret(Self.canary)
        let verifiers: [Any] = [
            try GitHubVerifier(secrets: [secret]), try StripeVerifier(secrets: [secret]),
            try BearerVerifier(tokens: [secret]),
        ]
        for verifier in verifiers {
            expectNothing(of: Self.canary, in: verifier)
            for text in shown(verifier) { #expect(!text.contains("SecureBytes") && !text.contains("HMAC")) }
        }
        let bytes = Array((Self.canary + Self.canary).utf8)
        let key = Secret("whsec_" + Data(bytes).base64EncodedString())
        expectNothing(of: Self.canary, in: try StandardWebhooksVerifier(keys: [key]))
        expectNothing(of: Self.canary, in: try StandardWebhooksSigner(secrets: [key]))
    }

    @Test("no error repeats what was wrong")
    func errors() throws {
        for line in [
            "\(Self.canary)", "\(Self.canary) \(Self.canary)", "k1 \(Self.canary)", "k1 \(Self.canary) x",
            "\(Samples.firstKey) k1",
        ] {
            let error = try #require(throws: SecretsError.self) { try Samples.ring(line) }
            expectNothing(of: Self.canary, in: error)
            expectNothing(of: String(Samples.firstKey.prefix(12)), in: error)
        }
        let error = try #require(throws: SecretsError.self) {
            try StandardWebhooksVerifier(keys: [Secret("whsec_" + Self.canary)])
        }
        expectNothing(of: Self.canary, in: error)
    }
}
