import Contracts
import FoundationEssentials
import Messaging
import Testing

@testable import AuditWriterCore

@Suite struct EntryMessageTests {
    @Test func readsARunOfEntriesByteForByte() throws {
        let lines = (Int64(7)...9).map { Entries.canonical(seq: $0) }
        let message = try EntryMessage(Entries.delivery(lines, seq: 7))
        #expect(message.lane == LaneName(producer: Entries.producer, epoch: 1))
        #expect(message.entries.map(\.seq) == [7, 8, 9])
        #expect(message.entries.map(\.canonical) == lines)
    }

    /// Each of these is a fault of the data: processing it again can never help.
    @Test(arguments: [
        "count", "seq", "epoch", "producer", "tenant", "line feed", "json", "type", "version", "no header", "id",
        "somebody else",
    ])
    func refuses(_ fault: String) throws {
        let good = Entries.canonical(seq: 1)
        let delivery: Delivery =
            switch fault {
            case "count": Entries.delivery([good], seq: 1, count: 2)
            case "seq": Entries.delivery([good], seq: 2)
            case "epoch": Entries.delivery([good], seq: 1, epoch: 2)
            case "producer": Entries.delivery([good], seq: 1, producer: "automation-engine/other/0")
            case "tenant": Entries.delivery([good], seq: 1, tenant: "other")
            case "line feed": Entries.delivery([good + [10]], seq: 1)
            case "json": Entries.delivery([good.dropLast()], seq: 1)
            case "type": Entries.delivery([good], seq: 1) { $0.type = AuditKeepV1.type }
            case "version": Entries.delivery([good], seq: 1) { $0.headers["x-schema-version"] = 2 }
            case "no header": Entries.delivery([good], seq: 1) { $0.headers["x-seq"] = nil }
            case "id": Entries.delivery([Entries.canonical(seq: 1, id: UUID())], seq: 1)
            default: Entries.delivery([good], seq: 1) { $0.userID = "batuta_gateway" }
            }
        let error = #expect(throws: AuditWriterError.self) { try EntryMessage(delivery) }
        #expect(error?.code == .unreadableMessage)
        #expect(try LogIntake.classify(#require(error)) == .data)
    }
}
