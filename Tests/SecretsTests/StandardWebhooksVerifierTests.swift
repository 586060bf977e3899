import Secrets
import Testing

@Suite("Standard Webhooks' signatures")
struct StandardWebhooksVerifierTests {
    private func verdict(
        _ signature: String...,
        keys: [String] = [Vectors.sharedKeys[0]],
        id: [String] = [Vectors.messageID],
        timestamp: [String] = ["\(Vectors.time)"],
        body: [UInt8] = Vectors.body,
        now: Int64 = Vectors.time
    ) throws -> SignatureVerdict {
        try StandardWebhooksVerifier(keys: keys.map { Secret($0) })
            .verify(id: id, timestamp: timestamp, signature: signature, body: body[...], now: now)
    }

    @Test("the independent vectors are valid, each with its own key", arguments: [0, 1], [0, 1])
    func vectors(signature: Int, key: Int) throws {
        let expected: SignatureVerdict = signature == key ? .valid : .wrong
        #expect(try verdict(Vectors.shared[signature], keys: [Vectors.sharedKeys[key]]) == expected)
        #expect(try verdict(Vectors.asymmetric[signature], keys: [Vectors.publicKeys[key]]) == expected)
    }

    @Test("any key of either sort may have signed")
    func severalKeys() throws {
        let keys = Vectors.sharedKeys + Vectors.publicKeys
        for signature in Vectors.shared + Vectors.asymmetric {
            #expect(try verdict(signature, keys: keys) == .valid)
            #expect(try verdict(signature, keys: keys, body: Vectors.body + [0]) == .wrong)
            #expect(try verdict(signature, keys: keys, id: ["msg_2Zr"]) == .wrong)
            let later = Vectors.time + 1
            #expect(try verdict(signature, keys: keys, timestamp: ["\(later)"]) == .wrong)
        }
    }

    @Test("several signatures, other versions and blanks do not matter")
    func variants() throws {
        let (right, other) = (Vectors.shared[0], Vectors.shared[1])
        for text in [
            "\(other) \(right)", "\(right) \(other)", "v2,abc \(right) v1x,%%", "  \(right)  \(other) ",
            // There is no key for it, so that its form does not matter.
            "v1a,abc \(right)", "\(right)\tv9,",
            Array(repeating: other, count: 15).joined(separator: " ") + " " + right,
        ] {
            #expect(try verdict(text) == .valid, "\(text)")
        }
        #expect(try verdict(right, id: [" \(Vectors.messageID) "], timestamp: ["\t\(Vectors.time)"]) == .valid)
        #expect(try verdict("v1,abc " + Vectors.asymmetric[1], keys: [Vectors.publicKeys[1]]) == .valid)
    }

    @Test("a missing header is told from a malformed one")
    func missing() throws {
        let right = Vectors.shared[0]
        #expect(try verdict() == .missing)
        #expect(try verdict(right, id: []) == .missing)
        #expect(try verdict(right, timestamp: []) == .missing)
        #expect(try verdict("v2,abc") == .missing)
        #expect(try verdict(Vectors.asymmetric[0]) == .missing)
        #expect(try verdict(right, keys: [Vectors.publicKeys[0]]) == .missing)
    }

    @Test("malformed signatures")
    func malformedSignatures() throws {
        let right = Vectors.shared[0]
        #expect(try verdict(right, right) == .malformed)
        for text in [
            "", " ", "v1", ",abc", "v1,", "v1,abc", "\(right) v1", "\(right),\(right)", right + "=",
            String(right.dropLast()),
            // The same bytes in base64 that is not canonical, and in that of URLs.
            right.replacing("yw=", with: "yx="), right.replacing("/", with: "_"), "\(right) v1,%%%%",
            Array(repeating: right, count: 17).joined(separator: " "), right + String(repeating: " ", count: 4096),
        ] {
            #expect(try verdict(text) == .malformed, "\(text.prefix(200))")
        }
        let asymmetric = Vectors.asymmetric[0]
        for text in [String(asymmetric.dropLast(2)), "v1a," + right.dropFirst(3), asymmetric + " v1a,"] {
            #expect(try verdict(text, keys: [Vectors.publicKeys[0]]) == .malformed, "\(text)")
        }
    }

    @Test(
        "an id has no full stop, or its bytes could be divided otherwise",
        arguments: ["", "a.b", ".", "a b", "a\u{7F}", "ñ", "a\u{0}", String(repeating: "a", count: 256)]
    )
    func malformedIDs(id: String) throws {
        #expect(try verdict(Vectors.shared[0], id: [id]) == .malformed)
    }

    @Test("ids and times that stand twice")
    func duplicates() throws {
        #expect(try verdict(Vectors.shared[0], id: [Vectors.messageID, Vectors.messageID]) == .malformed)
        #expect(try verdict(Vectors.shared[0], timestamp: ["\(Vectors.time)", "\(Vectors.time)"]) == .malformed)
    }

    @Test(
        "a time is digits",
        arguments: [
            "", "-1", "+1", "1.0", "1e9", "0x10", "1800000000.", "1234567890123", "99999999999999999999", "١٢٣",
        ]
    )
    func malformedTimes(time: String) throws {
        #expect(try verdict(Vectors.shared[0], timestamp: [time]) == .malformed)
    }

    @Test(
        "five minutes either way are near enough, a second more is not",
        arguments: [
            (Vectors.time, SignatureVerdict.valid), (Vectors.time + 300, .valid), (Vectors.time - 300, .valid),
            (Vectors.time + 301, .tooOld), (Vectors.time - 301, .tooNew), (.max, .tooOld), (.min, .tooNew),
        ]
    )
    func tolerance(now: Int64, expected: SignatureVerdict) throws {
        #expect(try verdict(Vectors.shared[0], now: now) == expected)
        #expect(try verdict(Vectors.asymmetric[0], keys: [Vectors.publicKeys[0]], now: now) == expected)
        #expect(try verdict(Vectors.shared[1], now: now) == .wrong)
    }

    @Test("the time 0 is a time")
    func zero() throws {
        #expect(try verdict(Vectors.sharedAtZero, timestamp: ["0"], now: 300) == .valid)
        #expect(try verdict(Vectors.sharedAtZero, timestamp: ["0"], now: 301) == .tooOld)
    }

    @Test("every bit of an Ed25519 signature counts")
    func flippedBits() throws {
        let characters = Array(Vectors.asymmetric[0])
        for at in 4..<characters.count - 3 {
            var changed = characters
            changed[at] = changed[at] == "A" ? "B" : "A"
            #expect(try verdict(String(changed), keys: [Vectors.publicKeys[0]]) == .wrong, "\(at)")
        }
    }

    @Test(
        "a key that is none makes no verifier",
        arguments: [
            "", "whsec_", "whpk_", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", "WHSEC_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY",
            // 23 bytes, 65 bytes; whsec_ of a text that is no base64; a public key of 31 and of 33 bytes.
            "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhc=", "whsec_" + String(repeating: "AAAA", count: 21) + "AAA=",
            "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhc*", "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY\n",
            "whpk_ANBaHR6iUTltVXr71FiLPG2Z2+uXL+0QoyVi6ibc3A==", "whpk_" + String(repeating: "A", count: 44),
            "whsk_ANBaHR6iUTltVXr71FiLPG2Z2+uXL+0QoyVi6ibc3Po=", " " + Vectors.sharedKeys[0],
        ]
    )
    func unusableKeys(key: String) throws {
        let error = try #require(throws: SecretsError.self) {
            try StandardWebhooksVerifier(keys: [Secret(Vectors.sharedKeys[0]), Secret(key)])
        }
        #expect(error.code == .invalidSigningSecret)
    }

    @Test("no key, or more than eight, make no verifier", arguments: [0, 9])
    func countOfKeys(count: Int) throws {
        let error = try #require(throws: SecretsError.self) {
            try StandardWebhooksVerifier(keys: Array(repeating: Secret(Vectors.sharedKeys[0]), count: count))
        }
        #expect(error.code == .invalidSecretCount)
    }
}
