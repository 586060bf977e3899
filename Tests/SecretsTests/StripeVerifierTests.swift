import Secrets
import Testing

@Suite("Stripe's signatures")
struct StripeVerifierTests {
    private static let time = "t=\(Vectors.time)"
    private static let first = "v1=" + Vectors.stripe[0]
    private static let second = "v1=" + Vectors.stripe[1]

    private func verdict(
        _ signature: String...,
        secrets: [String] = [Vectors.stripeSecrets[0]],
        body: [UInt8] = Vectors.body,
        now: Int64 = Vectors.time
    ) throws -> SignatureVerdict {
        try StripeVerifier(secrets: secrets.map { Secret($0) }).verify(signature: signature, body: body[...], now: now)
    }

    @Test("the independent vectors are valid, each with its own secret")
    func vectors() throws {
        #expect(try verdict("\(Self.time),\(Self.first)") == .valid)
        #expect(try verdict("\(Self.time),\(Self.second)") == .wrong)
        #expect(try verdict("\(Self.time),\(Self.second)", secrets: [Vectors.stripeSecrets[1]]) == .valid)
        #expect(try verdict("\(Self.time),\(Self.second)", secrets: Vectors.stripeSecrets) == .valid)
    }

    @Test("several signatures, other schemes, order, blanks and case do not matter")
    func variants() throws {
        let wrong = "v1=" + String(repeating: "0", count: 64)
        for text in [
            "\(Self.time),\(Self.second),\(Self.first)", "\(Self.first),\(Self.time)",
            "\(Self.time),v0=zz,\(wrong),\(Self.first),v2=,x=a=b", " \(Self.time) ,  \(Self.first)\t",
            "\(Self.time),v1=\(Vectors.stripe[0].uppercased())", "\(Self.time),\(Self.first),\(Self.first)",
            "\(Self.time)," + Array(repeating: wrong, count: 15).joined(separator: ",") + ",\(Self.first)",
        ] {
            #expect(try verdict(text) == .valid, "\(text)")
        }
    }

    @Test("nothing, or something that is no signature, is told apart from a wrong one")
    func verdicts() throws {
        #expect(try verdict() == .missing)
        #expect(try verdict(Self.time) == .missing)
        #expect(try verdict("\(Self.time),v0=\(Vectors.stripe[0])") == .missing)
        #expect(try verdict("\(Self.time),\(Self.first)", "\(Self.time),\(Self.first)") == .malformed)
        #expect(try verdict("\(Self.time),\(Self.first)", body: Vectors.body + [10]) == .wrong)
        for text in [
            "", ",", Self.first, "t=,\(Self.first)", "t=-1,\(Self.first)", "t=1e3,\(Self.first)", "t,\(Self.first)",
            "t= \(Vectors.time),\(Self.first)", "t=+\(Vectors.time),\(Self.first)", "t=\(Vectors.time).,\(Self.first)",
            "t=1234567890123,\(Self.first)", "t=99999999999999999999,\(Self.first)",
            "\(Self.time),\(Self.time),\(Self.first)",
            "\(Self.time),\(Self.first),", "\(Self.time),\(Self.first),v1=", "\(Self.time),v1= \(Vectors.stripe[0])",
            "\(Self.time),\(Self.first)0", "\(Self.time),\(Self.first.dropLast())", "\(Self.time),\(Self.first),abc",
            "\(Self.time)," + Array(repeating: Self.first, count: 17).joined(separator: ","),
            "\(Self.time),\(Self.first),v0=" + String(repeating: "a", count: 4096),
        ] {
            #expect(try verdict(text) == .malformed, "\(text.prefix(200))")
        }
    }

    @Test("the time is signed: a replay with a fresh one is wrong")
    func replay() throws {
        let later = Vectors.time + 1000
        #expect(try verdict("t=\(later),\(Self.first)", now: later) == .wrong)
        #expect(try verdict("t=0\(Vectors.time),\(Self.first)") == .wrong)
    }

    @Test(
        "five minutes either way are near enough, a second more is not",
        arguments: [
            (Vectors.time, SignatureVerdict.valid), (Vectors.time + 300, .valid), (Vectors.time - 300, .valid),
            (Vectors.time + 301, .tooOld), (Vectors.time - 301, .tooNew), (0, .tooNew), (-1, .tooNew),
            (.max, .tooOld), (.min, .tooNew),
        ]
    )
    func tolerance(now: Int64, expected: SignatureVerdict) throws {
        #expect(try verdict("\(Self.time),\(Self.first)", now: now) == expected)
        // Of a wrong signature the time is not even looked at.
        #expect(try verdict("\(Self.time),\(Self.second)", now: now) == .wrong)
    }
}
