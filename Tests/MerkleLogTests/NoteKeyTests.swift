import MerkleLog
import Testing

@Suite("Keys of notes")
struct NoteKeyTests {
    @Test("public keys are read and written", arguments: [NoteSamples.logKey, NoteSamples.witnessKey])
    func publicKeys(text: String) throws {
        let key = try NoteVerifierKey(parsing: text)
        #expect(key.description == text)
        #expect(try NoteVerifierKey(name: key.name, kind: key.kind, publicKey: key.publicKey) == key)
        let id = try #require(text.split(separator: "+").dropFirst().first.map(String.init))
        #expect(try NoteVerifierKey(parsing: text.replacingFirst(id, with: id.uppercased())) == key)
    }

    @Test("a public key has one encoding")
    func encodings() {
        let accepts: (Int, UInt8, UInt8) -> Bool = { low, rest, top in
            let bytes = [UInt8(low)] + Array(repeating: rest, count: 30) + [top]
            return (try? NoteVerifierKey(name: "a", kind: .log, publicKey: bytes)) != nil
        }
        for low in 0...0xff {
            #expect(accepts(low, 0, 0))
            // The sign of x tells two points apart, but for those whose x is 0.
            #expect(accepts(low, 0, 0x80) == (low != 1), "\(low)")
            // The numbers from 2^255 - 19 on are the modulus and more; the one before it is -1.
            #expect(accepts(low, 0xff, 0x7f) == (low < 0xed), "\(low)")
            #expect(accepts(low, 0xff, 0xff) == (low < 0xec), "\(low)")
            #expect(accepts(low, 0xff, 0xfe))
        }
    }

    @Test("private keys are read and written, and have the public keys that another program has computed")
    func privateKeys() throws {
        let rows = [
            (NoteSamples.logSigner, NoteSamples.logKey, NoteKeyKind.log),
            (NoteSamples.witnessSigner, NoteSamples.witnessKey, .cosignature),
            (
                "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
                "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", .log
            ),
        ]
        for (text, publicText, kind) in rows {
            let signer = try NoteSigner(parsing: text)
            #expect(signer.text == text)
            #expect(signer.verifierKey.description == publicText)
            #expect(signer.kind == kind && signer.verifierKey.kind == kind)
        }
        #expect(try NoteSigner(parsing: NoteSamples.logSigner).cosigner.text == NoteSamples.logCosigner)
    }

    @Test("a new key is read back, and signs what its public key verifies", arguments: NoteKeyKind.allCases)
    func generation(kind: NoteKeyKind) throws {
        let signer = try NoteSigner.generate(name: "example.com/new", kind: kind)
        let again = try NoteSigner(parsing: signer.text)
        #expect(again.verifierKey == signer.verifierKey)
        let text = NoteSamples.checkpoint
        let signature = try kind == .log ? again.sign(text) : again.cosign(text, time: 7)
        #expect(try signer.verifierKey.verify(signature, of: text).time == (kind == .log ? nil : 7))
        #expect(try NoteSigner.generate(name: "example.com/new", kind: kind).verifierKey != signer.verifierKey)
        expectRefusal(.invalidName) { () throws(MerkleLogError) in _ = try NoteSigner.generate(name: "a b", kind: kind)
        }
    }

    @Test("a private key is printed by nothing but its text")
    func secrecy() throws {
        let signer = try NoteSigner(parsing: NoteSamples.logSigner)
        let secret = "AQABAgMEBQYHCAkK"
        #expect(signer.text.contains(secret))
        #expect(Mirror(reflecting: signer).children.isEmpty)
        var dumped = ""
        dump([signer], to: &dumped)
        for text in [
            "\(signer)", String(reflecting: signer), String(describing: [signer]), "\(Optional(signer) as Any)", dumped,
        ] {
            #expect(!text.contains(secret) && !text.contains("PRIVATE+KEY"), "\(text)")
            #expect(text.contains("example.com/audit"))
        }
        let wrong = NoteSamples.logSigner.replacingFirst("29b87bfc", with: "29b87bfd")
        do {
            _ = try NoteSigner(parsing: wrong)
            Issue.record("A wrong id was taken.")
        } catch {
            #expect(!error.message.contains(secret))
        }
    }

    @Test("what is not exactly a public key is refused")
    func malformedPublicKeys() {
        let good = NoteSamples.logKey
        let rows: [(MerkleLogError.Code, String)] = [
            (.malformedKey, ""), (.malformedKey, "a"), (.malformedKey, "a+b"), (.malformedKey, "++"),
            (.malformedKey, good + "="), (.malformedKey, good + "\n"), (.malformedKey, String(good.dropLast())),
            (.malformedKey, good.replacingFirst("29b87bfc", with: "29b87bfd")),
            (.malformedKey, good.replacingFirst("29b87bfc", with: "029b87bfc")),
            (.malformedKey, good.replacingFirst("audit", with: "audi")),
            (.malformedKey, good.replacingFirst("+AQOh", with: "+AQOi")), (.malformedKey, "a+29b87bfc+AQ=="),
            (.malformedKey, "a+29b87bfc+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fIA=="),
            (.invalidName, good.replacingFirst("example.com/audit", with: "")), (.invalidName, " " + good),
            (.invalidName, good.replacingFirst("/", with: "\u{2009}")),
            (.unsupportedKey, good.replacingFirst("+AQ", with: "+Ag")),
            (.unsupportedKey, good.replacingFirst("+AQ", with: "+Bg")), (.unsupportedKey, "a+29b87bfc+/w=="),
        ]
        for (code, text) in rows {
            expectRefusal(code, "\(text)") { () throws(MerkleLogError) in _ = try NoteVerifierKey(parsing: text) }
        }
        for count in [0, 1, 31, 33, 64] {
            let bytes = [UInt8](repeating: 1, count: count)
            expectRefusal(.malformedKey) { () throws(MerkleLogError) in
                _ = try NoteVerifierKey(name: "a", kind: .log, publicKey: bytes)
            }
            expectRefusal(.malformedKey) { () throws(MerkleLogError) in
                _ = try NoteSigner(name: "a", kind: .log, seed: bytes)
            }
        }
    }

    @Test("what is not exactly a private key is refused")
    func malformedPrivateKeys() {
        let good = NoteSamples.logSigner
        let rows: [(MerkleLogError.Code, String)] = [
            (.malformedKey, ""), (.malformedKey, "PRIVATE+KEY+"), (.malformedKey, NoteSamples.logKey),
            (.malformedKey, good + "\n"), (.malformedKey, good.lowercased()), (.malformedKey, " " + good),
            (.malformedKey, good.replacingFirst("29b87bfc", with: "29b87bfd")),
            (.malformedKey, good.replacingFirst("29b87bfc", with: "29B87bfc")),
            (.malformedKey, good.replacingFirst("PRIVATE+KEY+", with: "PRIVATE+\u{212A}EY+")),
            (.malformedKey, good.replacingFirst("+AQAB", with: "+BAAB")), (.malformedKey, String(good.dropLast(4))),
            (.unsupportedKey, good.replacingFirst("+AQAB", with: "+AgAB")),
            (.invalidName, good.replacingFirst("example.com/audit", with: "example.com audit")),
        ]
        for (code, text) in rows {
            expectRefusal(code, "\(text)") { () throws(MerkleLogError) in _ = try NoteSigner(parsing: text) }
        }
    }

    @Test("a key verifies what names it only")
    func otherKey() throws {
        let key = try NoteVerifierKey(parsing: NoteSamples.logKey)
        let witness = try NoteVerifierKey(parsing: NoteSamples.witnessKey)
        let note = try SignedNote(parsing: NoteSamples.note)
        #expect(key.isNamed(by: note.signatures[0]) && !key.isNamed(by: note.signatures[1]))
        expectRefusal(.invalidSignature) { () throws(MerkleLogError) in
            _ = try witness.verify(note.signatures[0], of: note.text)
        }
        let good = note.signatures[0]
        let renamed = try NoteSignature(name: "elsewhere", keyID: good.keyID, signature: good.signature)
        let renumbered = try NoteSignature(name: good.name, keyID: good.keyID ^ 1, signature: good.signature)
        #expect(try key.verify(good, of: note.text).key == key)
        for other in [renamed, renumbered] {
            expectRefusal(.invalidSignature) { () throws(MerkleLogError) in
                _ = try key.verify(other, of: note.text)
            }
        }
    }
}
