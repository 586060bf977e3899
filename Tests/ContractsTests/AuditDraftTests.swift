import Contracts
import Crypto
import Domain
import Foundation
import JSON
import TestSupport
import Testing

@Suite struct AuditDraftTests {
    static let full = AuditDraft(
        id: UUID(uuidString: "019aa3a2-7d3b-7c11-8a2b-0123456789ab") ?? UUID(),
        time: Timestamp(microseconds: 1_795_224_555_123_456),
        tenant: "acme",
        actor: AuditActor(type: .user, id: "deploy \"bot\"\n", via: "token:019aa3a2-0000-7000-8000-000000000001"),
        action: "activate",
        object: AuditObject(type: "automation", id: "orders.paid", version: 3),
        before: .canonical(Array(#"{"status":"draft"}"#.utf8)),
        after: .canonical(Array(#"{"status":"active"}"#.utf8)),
        reason: "año \u{1F4A1} \u{1}",
        requestID: "req-1",
        traceID: "4bf92f3577b34da6a3ce929d0e0e4736",
        outcome: .done
    )

    static let least = AuditDraft(
        id: UUID(uuidString: "019aa3a2-7d3b-7c11-8a2b-0123456789ac") ?? UUID(),
        time: Timestamp(microseconds: 0),
        tenant: "batuta",
        actor: AuditActor(type: .system, id: "api-gateway"),
        action: "lane.closed",
        object: AuditObject(type: "lane", id: "7"),
        outcome: .refused
    )

    @Test func theBytesAreTheGoldenOnes() throws {
        let producer = "automation-engine/host-1/l0"
        let body = AuditEntriesV1.body(of: [
            Self.full.canonicalBytes(producer: producer, epoch: 12, seq: 345),
            Self.least.canonicalBytes(producer: producer, epoch: 12, seq: 346),
        ])
        #expect(try body.text == GoldenFile.bytes("batuta.audit.entries.v1.ndjson").text)
    }

    @Test func theBytesAreCanonicalWhateverTheTexts() throws {
        var random = SeededGenerator.random()
        for _ in 0..<500 {
            let draft = Self.randomDraft(using: &random)
            let bytes = draft.canonicalBytes(
                producer: "p/\(Self.text(&random))/l",
                epoch: Int64.random(in: 1...(1 << 53), using: &random),
                seq: Int64.random(in: 1...(1 << 53), using: &random)
            )
            let again = try JSONDocument(parsing: bytes).root.value.canonicalBytes()
            #expect(again.text == bytes.text)
        }
    }

    @Test func anEntryReadsWhatADraftWrote() throws {
        let bytes = Self.full.canonicalBytes(producer: "automation-engine/host-1/l0", epoch: 12, seq: 345)
        let entry = try AuditEntry(canonical: bytes)
        #expect(entry.canonical == bytes)
        #expect(entry.id == Self.full.id)
        #expect(entry.time == Self.full.time)
        #expect(entry.tenant.key == "acme")
        #expect(entry.producer == "automation-engine/host-1/l0")
        #expect(entry.epoch == 12)
        #expect(entry.seq == 345)
        #expect(entry.action == "activate")
    }

    @Test(arguments: [
        (#""v":1"#, #""v":2"#, "v"), (#""id":"019a"#, #""id":"019A"#, "id"), (".123456Z", ".1234567Z", "time"),
        (#""tenant":"acme""#, #""tenant":"Acme""#, "tenant"), (#""epoch":12"#, #""epoch":-12"#, "epoch"),
        (#""epoch":12"#, #""epoch":"12""#, "epoch"), (#""seq":345"#, #""seq":345.5"#, "seq"),
        (#""action":"activate""#, #""action":"""#, "action"), (#""type":"user""#, #""type":"cat""#, "actor"),
        (#""outcome":"done""#, #""outcome":"maybe""#, "outcome"), (#""before""#, #""beforf""#, "before"),
        (#""producer":"#, #""produces":"#, "producer"), (#""object":"#, #""objecs":"#, "object"),
    ])
    func anEntryThatIsNotOneNamesTheMember(original: String, replacement: String, member: String) {
        let text = Self.full.canonicalBytes(producer: "p/h/l", epoch: 12, seq: 345).text
        let broken = text.replacing(original, with: replacement)
        #expect(broken != text)
        let error = #expect(throws: ContractError.self) { try AuditEntry(canonical: Array(broken.utf8)) }
        #expect(error?.code == .badBody)
        #expect(error?.message.contains(" \(member) ") ?? error?.message.hasSuffix("'s \(member)") ?? false)
    }

    @Test func anEntryOfRubbishIsRefused() {
        for text in ["", "null", "[]", "{", "{}", "\u{0}"] {
            #expect(throws: ContractError.self) { try AuditEntry(canonical: Array(text.utf8)) }
        }
    }

    @Test func aLargeValueStandsByItsSaltedHash() throws {
        let large = try AuditValue.json(.string(String(repeating: "x", count: AuditDraft.largestValue)))
        let small = try AuditValue.json(.string(String(repeating: "x", count: AuditDraft.largestValue - 2)))
        var draft = Self.full
        draft.before = small
        draft.after = large
        let salt = [UInt8](0..<16)
        let (kept, bodies) = draft.keepingApart { salt }
        #expect(kept.before == small)
        let body = try #require(bodies.first)
        #expect(bodies.count == 1)
        #expect(body.body.count == AuditDraft.largestValue + 2)
        let hash = Data(SHA256.hash(data: salt + body.body))
        #expect(body.hash == Array(hash))
        let entry = kept.canonicalBytes(producer: "p/h/l", epoch: 1, seq: 1)
        let after = try #require(try JSONDocument(parsing: entry).root["after"]?["$kept"])
        #expect(after["sha256"]?.stringValue == hash.base64EncodedString())
        #expect(after["bytes"]?.int64Value == Int64(AuditDraft.largestValue + 2))
    }

    @Test("a personal value stands by its hash however small it is, and what is around it as it is")
    func personalValues() throws {
        let salt = [UInt8](0..<16)
        var draft = Self.full
        draft.before = .none
        let value: JSONValue = ["a": ["b": ["é", "x"], "c": .null], "d": 1]
        draft.after = try .json(
            value,
            personal: ["/a/b/0", "/a/c", "/none/there", "/d/e"].map { try #require(JSONPointer($0)) }
        ) { salt }
        let (entry, kept) = draft.keepingApart()
        #expect(kept == [KeptBody(body: Array("\"é\"".utf8), salt: salt)])
        let hash = Data(SHA256.hash(data: salt + Array("\"é\"".utf8)))
        let text = String(decoding: entry.canonicalBytes(producer: "p/h/l", epoch: 1, seq: 1), as: UTF8.self)
        let after = #"{"a":{"b":[{"$kept":{"bytes":4,"sha256":"\#(hash.base64EncodedString())"}},"x"],"c":null},"d":1}"#
        #expect(text.contains(#""after":\#(after),"before":null"#), "\(text)")
        #expect(!text.contains("é"))
    }

    @Test("a value with personal parts that is too large even so stands by one hash, whole")
    func largeAndPersonal() throws {
        let large = String(repeating: "x", count: AuditDraft.largestValue)
        var draft = Self.full
        draft.before = .none
        draft.after = try .json(["name": "ada", "text": .string(large)], personal: [JSONPointer(tokens: ["name"])])
        var (entry, kept) = draft.keepingApart()
        #expect(kept.map { String(decoding: $0.body, as: UTF8.self) } == [#"{"name":"ada","text":"\#(large)"}"#])
        #expect(entry.after == .canonical(Array(Self.reference(kept[0]).utf8)))
        // Where the personal part is what is large, the rest stays to be read.
        draft.after = try .json(["name": "ada", "text": .string(large)], personal: [JSONPointer(tokens: ["text"])])
        (entry, kept) = draft.keepingApart()
        #expect(entry.after == .canonical(Array(#"{"name":"ada","text":\#(Self.reference(kept[0]))}"#.utf8)))
    }

    @Test(
        "a member of a user's own is never taken for a reference, and is read as it was",
        arguments: [
            (#"{"form":{"$kept":{"bytes":1,"sha256":"$hash"}}}"#, #"{"form":{"$$kept":{"bytes":1,"sha256":"$hash"}}}"#),
            (#"{"$kept":{"bytes":1,"sha256":"$hash"}}"#, #"{"$$kept":{"bytes":1,"sha256":"$hash"}}"#),
            (#"[{"$$kept":[{"$kept":null}]}]"#, #"[{"$$$kept":[{"$$kept":null}]}]"#),
            (##"{"$keptx":1,"$ref":"#","kept":"$kept\":"}"##, ##"{"$keptx":1,"$ref":"#","kept":"$kept\":"}"##),
        ]
    )
    func names(own: String, written: String) throws {
        let hash = Data(repeating: 7, count: 32).base64EncodedString()
        let own = own.replacing("$hash", with: hash)
        var draft = Self.full
        draft.after = try .json(JSONValue(parsing: Array(own.utf8)))
        let (entry, kept) = draft.keepingApart()
        #expect(kept.isEmpty)
        let after = try #require(
            try JSONDocument(parsing: entry.canonicalBytes(producer: "p/h/l", epoch: 1, seq: 1)).root["after"]
        )
        #expect(String(decoding: after.rawBytes, as: UTF8.self) == written.replacing("$hash", with: hash))
        #expect(KeptReference.all(in: after).isEmpty)
        let restored = KeptReference.restored(after, from: [[UInt8](repeating: 7, count: 32): Array("\"other\"".utf8)])
        let read = try restored?.value.canonicalBytes() ?? Array(after.rawBytes)
        #expect(String(decoding: read, as: UTF8.self) == own)
        #expect(restored?.isWhole ?? true)
    }

    @Test("what is kept apart is put back in its places, and what is erased stands by its reference")
    func restoring() throws {
        let value: JSONValue = ["a": ["$kept": "own"], "b": ["personal", "other"]]
        var draft = Self.full
        draft.before = .none
        draft.after = try .json(value, personal: [JSONPointer(tokens: ["b", "0"]), JSONPointer(tokens: ["b", "1"])])
        let (entry, kept) = draft.keepingApart()
        let after = try #require(
            try JSONDocument(parsing: entry.canonicalBytes(producer: "p/h/l", epoch: 1, seq: 1)).root["after"]
        )
        #expect(KeptReference.all(in: after).map(\.hash) == kept.map(\.hash))
        let all = Dictionary(uniqueKeysWithValues: kept.map { ($0.hash, $0.body) })
        let whole = try #require(KeptReference.restored(after, from: all))
        #expect(whole.isWhole && whole.value == value)
        let part = try #require(KeptReference.restored(after, from: [kept[1].hash: kept[1].body]))
        #expect(!part.isWhole)
        #expect(part.value["a"] == ["$kept": "own"] && part.value["b"]?[1] == "other")
        #expect(try part.value["b"]?[0]?.canonicalBytes() == Array(Self.reference(kept[0]).utf8))
    }

    private static func reference(_ body: KeptBody) -> String {
        #"{"$kept":{"bytes":\#(body.body.count),"sha256":"\#(Data(body.hash).base64EncodedString())"}}"#
    }

    @Test func twoSaltsAreTwo() {
        #expect(AuditDraft.randomSalt() != AuditDraft.randomSalt())
        #expect(AuditDraft.randomSalt().count == KeptBody.saltLength)
    }

    private static func randomDraft(using random: inout SeededGenerator) -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(milliseconds: 1, using: &random),
            time: Timestamp(microseconds: Int64.random(in: .min ... .max, using: &random)),
            tenant: text(&random),
            actor: AuditActor(type: .admin, id: text(&random), via: Bool.random(using: &random) ? text(&random) : nil),
            action: text(&random),
            object: AuditObject(type: text(&random), id: text(&random), version: Int.random(in: 0...9, using: &random)),
            reason: Bool.random(using: &random) ? text(&random) : nil,
            requestID: Bool.random(using: &random) ? text(&random) : nil,
            traceID: Bool.random(using: &random) ? text(&random) : nil
        )
    }

    private static func text(_ random: inout SeededGenerator) -> String {
        let scalars = (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in
            Unicode.Scalar(UInt32.random(in: 0...(Bool.random(using: &random) ? 0x7F : 0x1_FFFF), using: &random))
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
