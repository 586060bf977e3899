import Crypto
import MerkleLog
import Testing

@Suite("Signed notes")
struct SignedNoteTests {
    private let log: NoteVerifierKey
    private let witness: NoteVerifierKey
    private let note: SignedNote

    init() throws {
        log = try NoteVerifierKey(parsing: NoteSamples.logKey)
        witness = try NoteVerifierKey(parsing: NoteSamples.witnessKey)
        note = try SignedNote(parsing: NoteSamples.note)
    }

    @Test("the examples of C2SP signed-note and of Go's note package are verified")
    func publishedExamples() throws {
        let examples = [
            (
                "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                "This is an example message.\n",
                "\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1"
                    + "Yu72IneyaQM="
            ),
            (
                "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                "If you think cryptography is the answer to your problem,\n"
                    + "then you don't know what your problem is.\n",
                "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6"
                    + "RyyBwJnAM="
            ),
        ]
        for (key, text, line) in examples {
            let key = try NoteVerifierKey(parsing: key)
            let note = try SignedNote(parsing: "\(text)\n\(line)\n")
            #expect(note.text == text)
            #expect(try note.verified(by: [key]).map(\.key) == [key])
            let forged = try SignedNote(parsing: "\(text.dropLast())!\n\n\(line)\n")
            expectRefusal(.invalidSignature) { () throws(MerkleLogError) in _ = try forged.verified(by: [key]) }
        }
    }

    @Test("a checkpoint that another program has signed and witnessed is verified")
    func otherProgram() throws {
        #expect(note.text == NoteSamples.checkpoint)
        #expect(note.signatures.map(\.name) == ["example.com/audit", "witness.example/w1"])
        #expect(note.signatures.map(\.keyID) == [0x29b8_7bfc, 0x09dc_f0bd])
        #expect(note.encoded == NoteSamples.note && note.bytes == Array(NoteSamples.note.utf8))
        let verified = try note.verified(by: [witness, log])
        #expect(verified.map(\.key) == [witness, log])
        #expect(verified.map(\.time) == [NoteSamples.time, nil])
    }

    @Test("the same notes are made here, byte for byte")
    func signing() throws {
        let signer = try NoteSigner(parsing: NoteSamples.logSigner)
        let witness = try NoteSigner(parsing: NoteSamples.witnessSigner)
        let checkpoint = try Checkpoint(parsing: NoteSamples.checkpoint)
        var note = try checkpoint.signed(by: signer)
        try note.add(witness.cosign(checkpoint.text, time: NoteSamples.time))
        #expect(note.encoded == NoteSamples.note)
        #expect(note == self.note && note.hashValue == self.note.hashValue)
        #expect(try SignedNote(text: checkpoint.text, signatures: note.signatures) == note)
    }

    @Test("signatures of other keys are ignored, even of the same name or the same id")
    func unknownKeys() throws {
        let other = try NoteSigner.generate(name: NoteSamples.origin, kind: .log)
        #expect(try note.verified(by: []).isEmpty)
        #expect(try note.verified(by: [other.verifierKey]).isEmpty)
        var mixed = try SignedNote(text: note.text, signatures: [other.sign(note.text)])
        let foreign = try NoteSignature(name: "elsewhere", keyID: log.keyID, signature: [1])
        try mixed.add(foreign)
        try mixed.add(NoteSignature(name: log.name, keyID: log.keyID ^ 1, signature: [1]))
        #expect(try mixed.verified(by: [log]).isEmpty)
        try mixed.add(note.signatures[0])
        #expect(try mixed.verified(by: [log, witness]).map(\.key) == [log])
    }

    @Test("names that only look the same are not the same")
    func lookalikes() throws {
        // A kelvin sign, and an e with an accent in one character and in two, are equal to `==` on strings.
        for (name, other) in [("K", "\u{212A}"), ("\u{E9}", "e\u{301}")] {
            let signer = try NoteSigner.generate(name: name, kind: .log)
            let signature = try signer.sign("text\n")
            let fake = try NoteSignature(name: other, keyID: signature.keyID, signature: signature.signature)
            #expect(signature.name == fake.name && signature != fake)
            let key = signer.verifierKey
            #expect(try SignedNote(text: "text\n", signatures: [fake]).verified(by: [key]).isEmpty)
            #expect(try SignedNote(text: "text\n", signatures: [signature]).verified(by: [key]).count == 1)
            #expect(try NoteVerifierKey(name: other, kind: .log, publicKey: key.publicKey) != key)
            #expect(
                try SignedNote(text: "\(name)\n", signatures: [fake])
                    != SignedNote(text: "\(other)\n", signatures: [fake])
            )
        }
    }

    @Test("a signature of a known key that is not its own is an error, wherever it stands")
    func invalidSignatures() throws {
        for (position, good) in note.signatures.enumerated() {
            for index in good.signature.indices {
                var bytes = good.signature
                bytes[index] ^= 1
                var signatures = note.signatures
                signatures[position] = try NoteSignature(name: good.name, keyID: good.keyID, signature: bytes)
                let forged = try SignedNote(text: note.text, signatures: signatures)
                expectRefusal(.invalidSignature) { () throws(MerkleLogError) in
                    _ = try forged.verified(by: [log, witness])
                }
            }
        }
        for count in [1, 63, 64, 72] {
            let bytes = [UInt8](repeating: 0, count: count)
            var forged = note
            try forged.add(NoteSignature(name: log.name, keyID: log.keyID, signature: bytes))
            expectRefusal(.invalidSignature) { () throws(MerkleLogError) in _ = try forged.verified(by: [log]) }
            #expect(try forged.verified(by: [witness]).count == 1)
        }
        let text = try Checkpoint(origin: NoteSamples.origin, size: 301, root: .empty).text
        let forged = try SignedNote(text: text, signatures: note.signatures)
        expectRefusal(.invalidSignature) { () throws(MerkleLogError) in _ = try forged.verified(by: [log]) }
        expectRefusal(.invalidSignature) { () throws(MerkleLogError) in _ = try forged.verified(by: [witness]) }
    }

    @Test("a signature with the group's order added to it is refused, as RFC 8032 demands")
    func malleability() throws {
        let order = Hex.bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        for signature in note.signatures {
            var bytes = signature.signature
            var carry = 0
            for (index, byte) in zip(bytes.indices.suffix(32), order) {
                let sum = Int(bytes[index]) + Int(byte) + carry
                bytes[index] = UInt8(sum & 0xff)
                carry = sum >> 8
            }
            #expect(carry == 0)
            let changed = try NoteSignature(name: signature.name, keyID: signature.keyID, signature: bytes)
            let forged = try SignedNote(text: note.text, signatures: [changed])
            expectRefusal(.invalidSignature) { () throws(MerkleLogError) in
                _ = try forged.verified(by: [log, witness])
            }
        }
    }

    @Test("a key counts once, however often it and its signatures are there; a witness with its latest time")
    func repeatedSignatures() throws {
        let signer = try NoteSigner(parsing: NoteSamples.witnessSigner)
        var repeated = note
        for offset: UInt64 in [5, 9, 7] {
            try repeated.add(signer.cosign(note.text, time: NoteSamples.time + offset))
        }
        try repeated.add(note.signatures[0])
        let verified = try repeated.verified(by: [log, witness, log, witness])
        #expect(verified.map(\.key) == [log, witness])
        #expect(verified.map(\.time) == [nil, NoteSamples.time + 9])
    }

    @Test("neither a log's signature passes for a witness's nor the other way round, with one key for both")
    func separation() throws {
        let signer = try NoteSigner(parsing: NoteSamples.logSigner)
        let cosigner = signer.cosigner
        let message = "cosignature/v1\ntime \(NoteSamples.time)\n\(NoteSamples.checkpoint)"
        expectRefusal(.invalidText) { () throws(MerkleLogError) in _ = try signer.sign(message) }
        let cosignature = try cosigner.cosign(NoteSamples.checkpoint, time: NoteSamples.time)
        let moved = try NoteSignature(
            name: signer.name,
            keyID: signer.verifierKey.keyID,
            signature: Array(cosignature.signature.dropFirst(8))
        )
        let forged = try SignedNote(text: message, signatures: [moved])
        expectRefusal(.invalidSignature) { () throws(MerkleLogError) in
            _ = try forged.verified(by: [signer.verifierKey])
        }
        expectRefusal(.wrongKind) { () throws(MerkleLogError) in _ = try cosigner.sign("text\n") }
        expectRefusal(.wrongKind) { () throws(MerkleLogError) in _ = try signer.cosign(NoteSamples.checkpoint, time: 0)
        }
    }

    @Test("a witness signs checkpoints only, and times below 2^63")
    func cosigning() throws {
        let signer = try NoteSigner(parsing: NoteSamples.witnessSigner)
        let longest = try signer.cosign(NoteSamples.checkpoint, time: (1 << 63) - 1)
        let note = try SignedNote(text: NoteSamples.checkpoint, signatures: [longest])
        #expect(try note.verified(by: [witness]).map(\.time) == [(1 << 63) - 1])
        for time in [1 << 63, UInt64.max] {
            expectRefusal(.invalidTime) { () throws(MerkleLogError) in
                _ = try signer.cosign(NoteSamples.checkpoint, time: time)
            }
        }
        for text in ["text\n", NoteSamples.checkpoint + "extension\n", String(NoteSamples.checkpoint.dropLast())] {
            expectRefusal(.malformedCheckpoint) { () throws(MerkleLogError) in _ = try signer.cosign(text, time: 0) }
        }
    }

    @Test("a cosignature whose time is 2^63 or later is refused, though its key has made it")
    func lateCosignature() throws {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: (100..<132).map { UInt8($0) })
        for (time, isTaken) in [((1 << 63) - 1, true), (1 << 63, false), (UInt64.max, false)] {
            let message = "cosignature/v1\ntime \(time)\n\(NoteSamples.checkpoint)"
            let bytes = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: time >> UInt64($0)) }
            let signature = try NoteSignature(
                name: witness.name,
                keyID: witness.keyID,
                signature: bytes + key.signature(for: Array(message.utf8))
            )
            let note = try SignedNote(text: NoteSamples.checkpoint, signatures: [signature])
            if isTaken {
                #expect(try note.verified(by: [witness]).map(\.time) == [time])
            } else {
                expectRefusal(.invalidSignature) { () throws(MerkleLogError) in _ = try note.verified(by: [witness]) }
            }
        }
    }

    @Test("texts with empty lines end at the last one")
    func emptyLines() throws {
        let signer = try NoteSigner(parsing: NoteSamples.logSigner)
        for text in [
            "\n", "\n\n", "a\n\n", "a\n\n\nb\n", "\n\u{2014} x AAAAAAA=\n", "é 😀\u{7f}\n", "a\n\n\u{2014} x AAAAAAA=\n",
        ] {
            let note = try SignedNote(text: text, signatures: [signer.sign(text)])
            let again = try SignedNote(parsing: note.bytes)
            #expect(again == note && again.text == text)
            #expect(try again.verified(by: [log]).count == 1)
        }
    }

    @Test(
        "texts that no note can hold are refused",
        arguments: ["", "a", "a\n\nb", "a\r\n", "a\0\n", "\t\n", "a\u{1f}\n"]
    )
    func invalidTexts(text: String) throws {
        let signer = try NoteSigner(parsing: NoteSamples.logSigner)
        expectRefusal(.invalidText) { () throws(MerkleLogError) in _ = try signer.sign(text) }
        expectRefusal(.invalidText) { () throws(MerkleLogError) in
            _ = try SignedNote(text: text, signatures: note.signatures)
        }
    }

    @Test("what is not exactly a note is refused")
    func malformed() {
        let (text, line) = (NoteSamples.checkpoint, NoteSamples.logLine)
        let good = "\(text)\n\(line)\n"
        let rows: [(MerkleLogError.Code, String)] = [
            (.malformedNote, ""), (.malformedNote, "\n"), (.malformedNote, "\n\n"), (.malformedNote, text),
            (.malformedNote, text + "\n"), (.malformedNote, text + line + "\n"),
            (.malformedNote, String(good.dropLast())),
            (.malformedNote, "\n" + line + "\n"), (.malformedNote, good + "\n"), (.malformedNote, good + "\t\n"),
            (.malformedNote, good.replacingFirst("300", with: "3\r0")),
            (.malformedNote, good.replacingFirst("300", with: "3\00")),
            (.malformedSignature, good + "\n\n-\n"), (.malformedSignature, good + "a\n"),
            (.malformedSignature, good.replacingFirst("\u{2014}", with: "-")),
            (.malformedSignature, good.replacingFirst("\u{2014} ", with: "\u{2014}")),
            (.malformedSignature, good.replacingFirst("\u{2014} ", with: "\u{2014}\u{a0}")),
            (.malformedSignature, good.replacingFirst("\u{2014} ", with: "\u{2014}  ")),
            (.malformedSignature, good.replacingFirst("audit K", with: "audit  K")),
            (.malformedSignature, good.replacingFirst("ww=\n", with: "ww= \n")),
            (.malformedSignature, good.replacingFirst("ww=\n", with: "ww\n")),
            (.malformedSignature, good.replacingFirst("ww=\n", with: "wx=\n")),
            (.malformedSignature, good.replacingFirst("ww=\n", with: "ww==\n")),
            (.malformedSignature, good.replacingFirst("Kbh7", with: "\u{212A}bh7")),
            (.malformedSignature, "\(text)\n\u{2014} a\n"), (.malformedSignature, "\(text)\n\u{2014} a \n"),
            (.malformedSignature, "\(text)\n\u{2014} a AAAAAA==\n"),
            (.malformedSignature, "\(text)\n\u{2014} a AAAA\n"),
            (.invalidName, "\(text)\n\u{2014}  AAAAAAA=\n"), (.invalidName, "\(text)\n\u{2014} a+b AAAAAAA=\n"),
            (.invalidName, "\(text)\n\u{2014} a\u{2003}b AAAAAAA=\n"),
            (.invalidName, "\(text)\n\u{2014} a\u{85} AAAAAAA=\n"),
        ]
        for (code, bytes) in rows {
            expectRefusal(code, "\(bytes)") { () throws(MerkleLogError) in _ = try SignedNote(parsing: bytes) }
        }
    }

    @Test("bytes that are not UTF-8 are refused, and not mended")
    func notUTF8() {
        for bytes in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x80]] as [[UInt8]] {
            let note = bytes + NoteSamples.note.utf8
            expectRefusal(.malformedNote) { () throws(MerkleLogError) in _ = try SignedNote(parsing: note) }
        }
    }

    @Test("a note has at most 100 signatures and 1 MiB")
    func limits() throws {
        var full = try SignedNote(text: note.text, signatures: Array(repeating: note.signatures[0], count: 100))
        #expect(try SignedNote(parsing: full.bytes) == full)
        expectRefusal(.tooManySignatures) { () throws(MerkleLogError) in try full.add(note.signatures[0]) }
        #expect(full.signatures.count == 100)
        let more = full.encoded + NoteSamples.logLine + "\n"
        expectRefusal(.tooManySignatures) { () throws(MerkleLogError) in _ = try SignedNote(parsing: more) }
        // A note that is over a limit is refused for that, whatever else is wrong with it.
        expectRefusal(.tooManySignatures) { () throws(MerkleLogError) in
            _ = try SignedNote(parsing: full.encoded + "-\n")
        }
        let room = SignedNote.maximumSize - 2 - NoteSamples.logLine.utf8.count - 1
        let text = String(repeating: "a", count: room) + "\n"
        var large = try SignedNote(text: text, signatures: [note.signatures[0]])
        #expect(large.bytes.count == SignedNote.maximumSize)
        #expect(try SignedNote(parsing: large.bytes) == large)
        expectRefusal(.tooLarge) { () throws(MerkleLogError) in try large.add(note.signatures[0]) }
        expectRefusal(.tooLarge) { () throws(MerkleLogError) in _ = try SignedNote(parsing: [10] + large.bytes) }
        expectRefusal(.tooLarge) { () throws(MerkleLogError) in _ = try SignedNote(parsing: large.bytes + [0, 1]) }
        expectRefusal(.tooLarge) { () throws(MerkleLogError) in
            _ = try SignedNote(text: "a" + text, signatures: [note.signatures[0]])
        }
        expectRefusal(.malformedNote) { () throws(MerkleLogError) in _ = try SignedNote(text: text, signatures: []) }
        expectRefusal(.malformedSignature) { () throws(MerkleLogError) in
            _ = try NoteSignature(name: "a", keyID: 1, signature: [])
        }
        for name in ["", "a b", "a+", "a\n", "a\u{1}", "\u{3000}"] {
            expectRefusal(.invalidName) { () throws(MerkleLogError) in
                _ = try NoteSignature(name: name, keyID: 1, signature: [1])
            }
        }
    }
}
