import Contracts
import Domain
import Foundation
import JSON
import Testing

@Suite struct MessageContractsTests {
    static func envelope(seq: Int64 = 345, count: Int = 2, epoch: Int64 = 12) throws -> MessageEnvelope {
        MessageEnvelope(
            messageID: try #require(UUID(uuidString: "019aa3a2-7d3b-7c11-8a2b-0123456789ad")),
            type: ContractType.auditEntries,
            schemaVersion: 1,
            contentType: AuditEntriesV1.contentType,
            service: "automation-engine",
            user: "batuta_engine",
            timestamp: 1_795_224_555,
            tenant: try #require(Tenant("acme")),
            producer: "automation-engine/host-1/l0",
            epoch: epoch,
            seq: seq,
            count: count,
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        )
    }

    @Test func theGoldenAuditEntriesAreRead() throws {
        let body = try GoldenFile.bytes("batuta.audit.entries.v1.ndjson")
        let value = try ContractRegistry.current.decode(
            AuditEntriesV1.self,
            type: ContractType.auditEntries,
            version: 1,
            body: body
        )
        #expect(value.entries.map(\.seq) == [345, 346])
        #expect(AuditEntriesV1.body(of: value.entries.map(\.canonical)) == body)
    }

    @Test func entriesMustSayWhatTheirEnvelopeSays() throws {
        let lines = ["acme", "acme"].enumerated().map { offset, _ in
            AuditDraftTests.full.canonicalBytes(
                producer: "automation-engine/host-1/l0",
                epoch: 12,
                seq: 345 + Int64(offset)
            )
        }
        let value = try AuditEntriesV1(decoding: AuditEntriesV1.body(of: lines))
        try value.requireMatch(Self.envelope())
        for wrong in [try Self.envelope(seq: 344), try Self.envelope(count: 3), try Self.envelope(epoch: 13)] {
            #expect(throws: ContractError.self) { try value.requireMatch(wrong) }
        }
        var foreign = try Self.envelope()
        foreign.tenant = try #require(Tenant("other"))
        #expect(throws: ContractError.self) { try value.requireMatch(foreign) }
        foreign = try Self.envelope()
        foreign.producer = "automation-engine/host-2/l0"
        #expect(throws: ContractError.self) { try value.requireMatch(foreign) }
    }

    @Test(arguments: ["", "{}", "{}\n", "\n"])
    func linesThatAreNoEntriesAreRefused(text: String) {
        let error = #expect(throws: ContractError.self) {
            try ContractRegistry.current.decode(type: ContractType.auditEntries, version: 1, body: Array(text.utf8))
        }
        #expect(error?.code == .badBody)
    }

    @Test func theGoldenSignalsAreRead() throws {
        let body = try GoldenFile.bytes("batuta.signals.accepted.v1.json")
        let value = try ContractRegistry.current.decode(
            SignalsAcceptedV2.self,
            type: ContractType.signalsAccepted,
            version: 1,
            body: body
        )
        #expect(
            value.events.map { $0.event.signalID.lowercased } == [
                "019aa3a2-7d3b-7c11-8a2b-0123456789a1", "019aa3a2-7d3b-7c11-8a2b-0123456789a2",
            ]
        )
        #expect(value.events.map { $0.event.view["id"]?.stringValue } == ["o-1", "o-2"])
        #expect(value.events.allSatisfy { $0.aim == nil })
        #expect(SignalsAcceptedV1.body(of: value.events.map(\.event.bytes)) == body)
    }

    @Test func theGoldenAimedSignalsAreRead() throws {
        let value = try ContractRegistry.current.decode(
            SignalsAcceptedV2.self,
            type: ContractType.signalsAccepted,
            version: 2,
            body: GoldenFile.bytes("batuta.signals.accepted.v2.json")
        )
        let event = try #require(value.events.first)
        #expect(event.event.signalID.lowercased == "019aa3a2-7d3b-7c11-8a2b-0123456789a3")
        #expect(event.aim?.target == SignalsAcceptedV2.Target("019aa3a2-7d3b-7c11-8a2b-0123456789b1"))
        #expect(event.aim?.metadata["rerun_of"]?.stringValue == "019aa3a2-7d3b-7c11-8a2b-0123456789a1")
        #expect(event.aim?.metadata["source"]?["type"]?.stringValue == "rerun")
    }

    @Test(arguments: [
        #""batutatarget":"019aa3a2-7d3b-7c11-8a2b-0123456789b1""#,
        #""batutatarget":"No key","batutametadata":"{}""#,
        #""batutatarget":"019aa3a2-7d3b-7c11-8a2b-0123456789b1","batutametadata":"[]""#,
        #""batutatarget":"019aa3a2-7d3b-7c11-8a2b-0123456789b1","batutametadata":{}"#,
        #""batutatarget":7,"batutametadata":"{}""#,
    ])
    func halfAnAimIsRefused(_ attributes: String) {
        let body = #"[{"batutasignalid":"019aa3a2-7d3b-7c11-8a2b-0123456789a3",\#(attributes)}]"#
        let error = #expect(throws: ContractError.self) {
            try ContractRegistry.current.decode(type: ContractType.signalsAccepted, version: 2, body: Array(body.utf8))
        }
        #expect(error?.code == .badBody)
    }

    @Test(arguments: ["", "{}", "[1]", "[{}]", #"[{"batutasignalid":"x"}]"#])
    func bodiesThatAreNoSignalsAreRefused(text: String) {
        let error = #expect(throws: ContractError.self) {
            try ContractRegistry.current.decode(type: ContractType.signalsAccepted, version: 1, body: Array(text.utf8))
        }
        #expect(error?.code == .badBody)
    }

    @Test func theGoldenCommandToKeepIsReadAndWritten() throws {
        let body = try GoldenFile.bytes("batuta.audit.keep.v1.json")
        let command = try ContractRegistry.current.decode(
            AuditKeepV1.self,
            type: ContractType.auditKeep,
            version: 1,
            body: body
        )
        #expect(command.kept == KeptBody(body: Array(#"{"a":"ñ"}"#.utf8), salt: [UInt8](0..<16)))
        #expect(command.body.text == body.text)
    }

    @Test func aBodyThatIsNotTheHashedOneIsRefused() throws {
        let text = try GoldenFile.bytes("batuta.audit.keep.v1.json").text.replacing("ñ", with: "n")
        let error = #expect(throws: ContractError.self) { try AuditKeepV1(decoding: Array(text.utf8)) }
        #expect(error?.code == .badBody)
    }
}
