import Secrets
import Testing

@Suite("Signatures of a body in a header of the publisher's own")
struct BodySignatureVerifierTests {
    /// The bytes of an independent vector in base64.
    private static let base64: String = {
        let digits = Array("0123456789abcdef".utf8)
        let values = Vectors.gitHub.utf8.compactMap { digits.firstIndex(of: $0) }
        let bytes = stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 0x3F] : "=")
            }
        }
        return text
    }()

    private func verdict(
        _ values: [String],
        _ encoding: BodySignatureVerifier.Encoding,
        prefix: String = "",
        secrets: [String] = [Vectors.gitHubSecret],
        body: [UInt8] = Vectors.body
    ) throws -> SignatureVerdict {
        let verifier = try BodySignatureVerifier(
            secrets: secrets.map { Secret($0) },
            encoding: encoding,
            prefix: prefix
        )
        return verifier.verify(signature: values, body: body[...])
    }

    @Test("the independent vector is valid in either encoding, after its prefix")
    func vectors() throws {
        let codes: [(BodySignatureVerifier.Encoding, String)] = [
            (.hexadecimal, Vectors.gitHub), (.hexadecimal, Vectors.gitHub.uppercased()), (.base64, Self.base64),
        ]
        for (encoding, code) in codes {
            #expect(try verdict([code], encoding) == .valid)
            #expect(try verdict([" \(code)\t"], encoding) == .valid)
            #expect(try verdict(["v1=" + code], encoding, prefix: "v1=") == .valid)
            #expect(try verdict([code], encoding, secrets: ["another", Vectors.gitHubSecret]) == .valid)
            #expect(try verdict([code], encoding, secrets: ["another"]) == .wrong)
            #expect(try verdict([code], encoding, body: Vectors.body + [0]) == .wrong)
        }
    }

    @Test("what is not written as it should be is told apart from what is wrong")
    func malformed() throws {
        #expect(try verdict([], .hexadecimal) == .missing)
        for text in ["", "v1=", Self.base64, "v1=" + Vectors.gitHub, String(Vectors.gitHub.dropLast())] {
            #expect(try verdict([text], .hexadecimal) == .malformed, "\(text)")
        }
        for text in [Vectors.gitHub, String(Self.base64.dropLast()), Self.base64 + "=", "=" + Self.base64] {
            #expect(try verdict([text], .base64) == .malformed, "\(text)")
        }
        #expect(try verdict([Vectors.gitHub], .hexadecimal, prefix: "v1=") == .malformed)
        #expect(try verdict(["V1=" + Vectors.gitHub], .hexadecimal, prefix: "v1=") == .malformed)
        #expect(try verdict([Vectors.gitHub, Vectors.gitHub], .hexadecimal) == .malformed)
    }

    @Test("without a secret there is no verifier")
    func unusable() {
        for secrets in [[], [""], Array(repeating: "k", count: 9)] {
            #expect(throws: SecretsError.self) { try verdict([], .base64, secrets: secrets) }
        }
    }
}
