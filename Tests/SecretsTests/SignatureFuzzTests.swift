import Secrets
import TestSupport
import Testing

@Suite("Signatures from mutated headers and bodies")
struct SignatureFuzzTests {
    private static let pieces = [
        "v1,", "v1a,", "v1=", "t=", ",", "=", " ", "\t", "sha256=", ".", "0", "A", "é", "\u{0}", "v0=", "300", "-",
    ]

    private func mutated(_ text: String, using random: inout SeededGenerator) -> String {
        var characters = Array(text)
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let at = Int.random(in: 0...characters.count, using: &random)
            let length = Int.random(in: 0...min(3, characters.count - at), using: &random)
            let piece: String
            switch Int.random(in: 0..<4, using: &random) {
            case 0: piece = ""
            case 1: piece = String(characters[at..<at + length]) + String(characters[at..<at + length])
            case 2: piece = String(characters[at..<at + length]).uppercased()
            default: piece = Self.pieces.randomElement(using: &random) ?? ""
            }
            characters.replaceSubrange(at..<at + length, with: piece)
        }
        return String(characters)
    }

    private func mutated(_ body: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        guard Int.random(in: 0..<4, using: &random) == 0, let index = body.indices.randomElement(using: &random) else {
            return body
        }
        var body = body
        body[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        return body
    }

    /// Fails where nothing was taken or nothing refused, since then nothing was tested.
    private func expect(_ verdicts: [SignatureVerdict], toHave kinds: [SignatureVerdict]) {
        let found = Set(verdicts)
        #expect(found.isSuperset(of: kinds), "\(found)")
    }

    @Test("GitHub: valid is exactly the one signature over the one body")
    func gitHub() throws {
        var random = SeededGenerator.random()
        let verifier = try GitHubVerifier(secrets: [Secret(Vectors.gitHubSecret)])
        var verdicts: [SignatureVerdict] = []
        for _ in 0..<1500 {
            let header = mutated("sha256=" + Vectors.gitHub, using: &random)
            let body = mutated(Vectors.body, using: &random)
            let verdict = verifier.verify(signature: [header], body: body[...])
            let bare = header.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            let isRight = String(bare).hasPrefix("sha256=") && String(bare).lowercased() == "sha256=" + Vectors.gitHub
            #expect((verdict == .valid) == (isRight && body == Vectors.body), "\(header)")
            verdicts.append(verdict)
        }
        expect(verdicts, toHave: [.valid, .malformed, .wrong])
    }

    @Test("Stripe: valid has the signature, the time and the body, and a clock near it")
    func stripe() throws {
        var random = SeededGenerator.random()
        let verifier = try StripeVerifier(secrets: Vectors.stripeSecrets.map { Secret($0) })
        var verdicts: [SignatureVerdict] = []
        for _ in 0..<1500 {
            let signatures = Vectors.stripe.map { "v1=" + $0 }.shuffled(using: &random).joined(separator: ",")
            let header = mutated("t=\(Vectors.time),\(signatures)", using: &random)
            let body = mutated(Vectors.body, using: &random)
            let now = Vectors.time + Int64.random(in: -400...400, using: &random)
            let verdict = verifier.verify(signature: [header], body: body[...], now: now)
            let isSigned = Vectors.stripe.contains { header.lowercased().contains("v1=" + $0) }
            let isRight = isSigned && header.contains("t=\(Vectors.time)") && body == Vectors.body
            if verdict == .valid { #expect(isRight && abs(now - Vectors.time) <= 300, "\(header)") }
            if verdict == .tooOld { #expect(isRight && now - Vectors.time > 300, "\(header)") }
            if verdict == .tooNew { #expect(isRight && Vectors.time - now > 300, "\(header)") }
            verdicts.append(verdict)
        }
        expect(verdicts, toHave: SignatureVerdict.allCases.filter { $0 != .missing })
    }

    @Test("Standard Webhooks: valid has the signature, the id, the time and the body, and a clock near it")
    func standardWebhooks() throws {
        var random = SeededGenerator.random()
        let keys = Vectors.sharedKeys + Vectors.publicKeys
        let verifier = try StandardWebhooksVerifier(keys: keys.map { Secret($0) })
        let signatures = Vectors.shared + Vectors.asymmetric
        var verdicts: [SignatureVerdict] = []
        for _ in 0..<1500 {
            let count = Int.random(in: 1...2, using: &random)
            let header = mutated(signatures.shuffled(using: &random)[..<count].joined(separator: " "), using: &random)
            let isIDKept = Int.random(in: 0..<4, using: &random) > 0
            let id = isIDKept ? Vectors.messageID : mutated(Vectors.messageID, using: &random)
            let time = isIDKept ? "\(Vectors.time)" : mutated("\(Vectors.time)", using: &random)
            let body = mutated(Vectors.body, using: &random)
            let now = Vectors.time + Int64.random(in: -400...400, using: &random)
            let verdict = verifier.verify(id: [id], timestamp: [time], signature: [header], body: body[...], now: now)
            let isSigned = signatures.contains { header.contains($0) } && body == Vectors.body
            let isRight = isSigned && id.contains(Vectors.messageID) && time.contains("\(Vectors.time)")
            if verdict == .valid { #expect(isRight && abs(now - Vectors.time) <= 300, "\(header) \(id) \(time)") }
            if verdict == .tooOld || verdict == .tooNew {
                #expect(isRight && abs(now - Vectors.time) > 300, "\(header)")
            }
            verdicts.append(verdict)
        }
        expect(verdicts, toHave: SignatureVerdict.allCases.filter { $0 != .missing })
    }

    @Test("arbitrary bytes in every header are never valid and never trap")
    func arbitrary() throws {
        var random = SeededGenerator.random()
        let secret = Secret("s")
        let gitHub = try GitHubVerifier(secrets: [secret])
        let stripe = try StripeVerifier(secrets: [secret])
        let bearer = try BearerVerifier(tokens: [secret])
        let standard = try StandardWebhooksVerifier(keys: [
            Secret(Vectors.sharedKeys[0]), Secret(Vectors.publicKeys[0]),
        ])
        for _ in 0..<1500 {
            func text() -> String {
                let pieces = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                    let byte = String(UnicodeScalar(UInt8.random(in: 0...255, using: &random)))
                    return Bool.random(using: &random) ? byte : Self.pieces.randomElement(using: &random) ?? ""
                }
                return pieces.joined()
            }
            let values = (0..<Int.random(in: 0...2, using: &random)).map { _ in text() }
            let now = Int64.random(in: .min ... .max, using: &random)
            let body = Vectors.body[...]
            #expect(!gitHub.verify(signature: values, body: body).isValid)
            #expect(!stripe.verify(signature: values, body: body, now: now).isValid)
            #expect(!bearer.verify(authorization: values).isValid)
            let ids = [text()]
            let times = ["\(now)"]
            #expect(!standard.verify(id: ids, timestamp: times, signature: values, body: body, now: now).isValid)
        }
    }
}
