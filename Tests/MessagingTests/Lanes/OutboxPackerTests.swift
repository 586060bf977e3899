import Contracts
import Domain
import FoundationEssentials
import JSON
import Testing

@testable import Messaging

@Suite("Packing of messages")
struct OutboxPackerTests {
    private func packer(_ numbers: LaneNumbers = .zero) -> OutboxPacker {
        OutboxPacker(numbers: numbers, service: "engine", producer: "automation-engine/host/0", epoch: 4)
    }

    private func signal(bytes: Int) -> AcceptedSignal {
        let padding = String(repeating: "x", count: max(0, bytes - 8))
        return AcceptedSignal(id: UUIDv7.make(), event: Array("{\"a\":\"\(padding)\"}".utf8))
    }

    private func entry(_ action: String) -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: "acme",
            actor: AuditActor(type: .system, id: "test"),
            action: action,
            object: AuditObject(type: "run", id: "1")
        )
    }

    @Test("signals of one tenant and type share messages of up to 64 KiB, numbered without a gap")
    func signals() throws {
        var packer = packer(LaneNumbers(signals: 10, commands: 0, audit: 0))
        let signals = (0..<200).map { _ in signal(bytes: 1_000) }
        packer.pack(signals: signals, tenant: "acme", type: "a.b")
        #expect(packer.numbers.signals == 210)
        #expect(packer.messages.count == 4)
        #expect(packer.messages.flatMap(\.items) == signals.map(\.id))
        var next: Int64 = 11
        for message in packer.messages {
            #expect(message.firstSeq == next)
            #expect(message.lastSeq - message.firstSeq + 1 == Int64(message.items.count))
            #expect(message.body.count <= OutboxPacker.maximumBytes)
            #expect(try JSONDocument(parsing: message.body).root.elements.map { _ in 1 }.count == message.items.count)
            next = message.lastSeq + 1
        }
    }

    @Test("a signal larger than a message has one to itself")
    func largeSignal() {
        var packer = packer()
        packer.pack(
            signals: [signal(bytes: 10), signal(bytes: 200_000), signal(bytes: 10)],
            tenant: "acme",
            type: "a.b"
        )
        #expect(packer.messages.map(\.items.count) == [1, 1, 1])
    }

    @Test("audit entries carry the number under which they are sent")
    func audit() throws {
        var packer = packer(LaneNumbers(signals: 0, commands: 0, audit: 41))
        packer.pack(audit: [entry("create"), entry("activate")], tenant: "acme")
        let message = try #require(packer.messages.first)
        #expect(packer.messages.count == 1)
        #expect(message.firstSeq == 42)
        #expect(message.lastSeq == 43)
        #expect(message.routingKey == "acme.engine")
        let lines = message.body.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 2)
        for (line, seq) in zip(lines, Int64(42)...) {
            let entry = try JSONDocument(parsing: Array(line)).root
            #expect(entry["seq"]?.int64Value == seq)
            #expect(entry["epoch"]?.int64Value == 4)
            #expect(entry["producer"]?.stringValue == "automation-engine/host/0")
            #expect(try entry.value.canonicalBytes() == Array(line))
        }
    }

    @Test("destinations are numbered apart")
    func apart() {
        var packer = packer()
        packer.pack(signals: [signal(bytes: 10)], tenant: "acme", type: "a.b")
        packer.pack(
            command: CommandDraft(service: "audit", name: "keep", tenant: "acme", type: "batuta.audit.keep", body: [])
        )
        packer.pack(audit: [entry("create")], tenant: "acme")
        #expect(packer.numbers == LaneNumbers(signals: 1, commands: 1, audit: 1))
        #expect(packer.messages.map(\.destination) == [.signals, .commands, .audit])
        #expect(packer.messages[1].routingKey == "audit.keep")
    }
}
