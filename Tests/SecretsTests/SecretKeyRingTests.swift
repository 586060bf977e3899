import TestSupport
import Testing

@testable import Secrets

@Suite("Sealing")
struct SecretKeyRingTests {
    @Test("what was sealed opens again", arguments: [0, 1, 15, 16, 17, 255, 4096, Secret.maximumBytes])
    func roundTrip(count: Int) throws {
        let ring = try Samples.newRing()
        let secret = Secret((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let sealed = try ring.seal(secret, for: Samples.context)
        #expect(sealed.bytes.count == 2 + 7 + 12 + count + 16)
        #expect(sealed.bytes.count <= SealedSecret.maximumBytes)
        let stored = try SealedSecret(bytes: sealed.bytes)
        #expect(stored == sealed && stored.keyID == "2026-02")
        #expect(try ring.open(stored, for: Samples.context) == secret)
    }

    @Test("an independent implementation's bytes open, so the stored form does not change unnoticed")
    func independentVector() throws {
        let ring = try Samples.newRing()
        let sealed = try SealedSecret(bytes: Vectors.bytes(Vectors.sealed))
        #expect(try ring.open(sealed, for: Samples.context).text == "correct horse ñ")
        let hook = SecretContext(kind: .gatewayHook, tenant: "acme", name: "github-main", version: -1)
        let nothing = try SealedSecret(bytes: Vectors.bytes(Vectors.sealedNothing))
        #expect(try ring.open(nothing, for: hook).bytes.isEmpty)
        #expect(Samples.context.associatedData(keyID: "2026-01") == Vectors.bytes(Vectors.associatedData))
    }

    @Test("the same secret never has the same bytes twice")
    func freshNonces() throws {
        let ring = try Samples.oldRing()
        let all = try (0..<200).map { _ in try ring.seal(Secret("same"), for: Samples.context).bytes }
        #expect(Set(all).count == 200)
        #expect(Set(all.map { Array($0[9..<21]) }).count == 200)
    }

    @Test("a secret that is too large is refused")
    func tooLarge() throws {
        let secret = Secret([UInt8](repeating: 7, count: Secret.maximumBytes + 1))
        let ring = try Samples.oldRing()
        let error = try #require(throws: SecretsError.self) { try ring.seal(secret, for: Samples.context) }
        #expect(error.code == .secretTooLarge && !error.isRetryable)
    }

    @Test(
        "another kind, tenant, name or version opens nothing",
        arguments: [
            SecretContext(kind: .gatewayHook, tenant: "acme", name: "smtp.password", version: 7),
            SecretContext(kind: .engineSecret, tenant: "acm", name: "esmtp.password", version: 7),
            SecretContext(kind: .engineSecret, tenant: "acmes", name: "mtp.password", version: 7),
            SecretContext(kind: .engineSecret, tenant: "acme", name: "smtp.passwore", version: 7),
            SecretContext(kind: .engineSecret, tenant: "acme", name: "smtp.password", version: 8),
            SecretContext(kind: .engineSecret, tenant: "acme", name: "smtp.password", version: -7),
            SecretContext(kind: .init(rawValue: "engine.secreta"), tenant: "cme", name: "smtp.password", version: 7),
        ]
    )
    func otherContexts(context: SecretContext) throws {
        let ring = try Samples.oldRing()
        let sealed = try ring.seal(Secret("a"), for: Samples.context)
        let error = try #require(throws: SecretsError.self) { try ring.open(sealed, for: context) }
        #expect(error.code == .notAuthentic)
    }

    @Test("contexts whose texts only divide differently have different associated data")
    func unambiguous() {
        let parts = ["", "a", "ab", "b", "aa", "\u{0}", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{1}a"]
        var seen: Set<[UInt8]> = []
        var count = 0
        for key in parts {
            for kind in parts {
                for tenant in parts {
                    for name in parts {
                        let kind = SecretContext.Kind(rawValue: kind)
                        let context = SecretContext(kind: kind, tenant: tenant, name: name, version: 1)
                        seen.insert(context.associatedData(keyID: key))
                        count += 1
                    }
                }
            }
        }
        #expect(seen.count == count)
    }

    @Test("every flipped bit is noticed, and nothing but its code is told")
    func flippedBits() throws {
        let ring = try Samples.newRing()
        let bytes = try ring.seal(Secret("correct"), for: Samples.context).bytes
        for bit in 0..<bytes.count * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let error = try #require(throws: SecretsError.self, "bit \(bit)") {
                try ring.open(SealedSecret(bytes: changed), for: Samples.context)
            }
            switch bit / 8 {
            case 0: #expect(error.code == .unsupportedForm)
            // The id's length: what is then the id or the rest has no known form, key or authenticity.
            case 1: #expect([.truncated, .unsupportedForm, .unknownKey].contains(error.code), "\(error.code)")
            // "2026-02" may become "2026-03", "2026.02" or no id at all.
            case 2..<9: #expect([.unsupportedForm, .unknownKey].contains(error.code), "\(error.code)")
            default: #expect(error.code == .notAuthentic)
            }
        }
    }

    @Test("a sealed secret cannot be passed off as sealed with another key")
    func otherKeyID() throws {
        let ring = try Samples.newRing()
        var bytes = try ring.seal(Secret("a"), for: Samples.context).bytes
        bytes[8] = UInt8(ascii: "1")
        let sealed = try SealedSecret(bytes: bytes)
        #expect(sealed.keyID == "2026-01")
        let error = try #require(throws: SecretsError.self) { try ring.open(sealed, for: Samples.context) }
        #expect(error.code == .notAuthentic)
        // Nor does the same key under another id open it.
        let renamed = try Samples.ring("2026-01 \(Samples.secondKey)")
        let again = try #require(throws: SecretsError.self) { try renamed.open(sealed, for: Samples.context) }
        #expect(again.code == .notAuthentic)
    }

    @Test("every truncation is noticed, and so is every extension")
    func truncation() throws {
        let ring = try Samples.oldRing()
        let bytes = try ring.seal(Secret("abc"), for: Samples.context).bytes
        for count in 0..<bytes.count {
            let error = try #require(throws: SecretsError.self) {
                try ring.open(SealedSecret(bytes: Array(bytes[..<count])), for: Samples.context)
            }
            #expect(error.code == (count < bytes.count - 3 ? .truncated : .notAuthentic))
        }
        let longer = try #require(throws: SecretsError.self) {
            try ring.open(SealedSecret(bytes: bytes + [0]), for: Samples.context)
        }
        #expect(longer.code == .notAuthentic)
        let huge = [UInt8](repeating: 1, count: 2 + 1 + 28 + Secret.maximumBytes + 1)
        let error = try #require(throws: SecretsError.self) { try SealedSecret(bytes: huge) }
        #expect(error.code == .secretTooLarge)
    }

    @Test("arbitrary bytes never trap and never open")
    func randomBytes() throws {
        var random = SeededGenerator.random()
        let ring = try Samples.newRing()
        let valid = try ring.seal(Secret("correct"), for: Samples.context).bytes
        var codes: Set<SecretsError.Code> = []
        for _ in 0..<5000 {
            var bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Most are made to get past the first checks.
            let kept = Int.random(in: 0...12, using: &random)
            bytes.replaceSubrange(0..<min(kept, bytes.count), with: valid[..<kept])
            do throws(SecretsError) {
                _ = try ring.open(SealedSecret(bytes: bytes), for: Samples.context)
                Issue.record("\(bytes) opened.")
            } catch {
                codes.insert(error.code)
            }
        }
        #expect(codes.isSuperset(of: [.truncated, .unsupportedForm, .unknownKey, .notAuthentic]), "\(codes)")
    }

    @Test("a rotation: the new key seals, the old one still opens until all is sealed anew")
    func rotation() throws {
        let before = try Samples.oldRing()
        let prepared = try Samples.ring("2026-01 \(Samples.firstKey)", "2026-02 \(Samples.secondKey)")
        let during = try Samples.newRing()
        let after = try Samples.ring("2026-02 \(Samples.secondKey)")
        #expect(prepared.activeKeyID == "2026-01" && during.activeKeyID == "2026-02")

        let old = try before.seal(Secret("s"), for: Samples.context)
        #expect(!before.needsResealing(old) && !prepared.needsResealing(old) && during.needsResealing(old))
        #expect(try during.open(old, for: Samples.context) == Secret("s"))
        let new = try during.reseal(old, for: Samples.context)
        #expect(new.keyID == "2026-02" && !during.needsResealing(new))
        #expect(try after.open(new, for: Samples.context) == Secret("s"))
        // A replica that only knows the new key as its second opens what the others seal already.
        #expect(try prepared.open(new, for: Samples.context) == Secret("s"))

        let error = try #require(throws: SecretsError.self) { try after.open(old, for: Samples.context) }
        #expect(error.code == .unknownKey && error.message.contains("2026-01"))
        #expect(throws: SecretsError.self) { try after.reseal(old, for: Samples.context) }
    }

    @Test("resealing does not move a secret to another context")
    func resealingInAnotherContext() throws {
        let old = try Samples.oldRing().seal(Secret("s"), for: Samples.context)
        let other = SecretContext(kind: .engineSecret, tenant: "other", name: "smtp.password", version: 7)
        let ring = try Samples.newRing()
        let error = try #require(throws: SecretsError.self) { try ring.reseal(old, for: other) }
        #expect(error.code == .notAuthentic)
    }

    @Test("the wrong key under the right id opens nothing")
    func wrongKey() throws {
        let sealed = try Samples.oldRing().seal(Secret("s"), for: Samples.context)
        let ring = try Samples.ring("2026-01 \(Samples.secondKey)")
        let error = try #require(throws: SecretsError.self) { try ring.open(sealed, for: Samples.context) }
        #expect(error.code == .notAuthentic)
    }
}
