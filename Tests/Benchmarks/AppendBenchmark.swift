import AuditWriterCore
import Checkpoints
import Contracts
import Domain
import Foundation
import Logging
import MerkleLog
import Messaging
import Persistence
import ServiceBase

/// How many entries a second the log takes: as messages bring them, durable, and signed on the way.
struct AppendBenchmark {
    private static let entries = 200_000
    /// What producers put into one message, and the writer into one transaction.
    private static let perMessage = 64
    private static let messagesPerBatch = 20

    let url: String

    func run() async throws {
        var configuration = try PostgresConfiguration(url: url)
        configuration.applicationName = "audit-bench"
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let client = PostgresClient(configuration: configuration, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            try await measure(client, logger)
        }
    }

    private func measure(_ client: PostgresClient, _ logger: Logger) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("batuta-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard let path = ProcessInfo.processInfo.environment["BATUTA_AUDIT_KEY_FILE"] else {
            throw Failure()
        }
        let origin = try await client.execute(PostgresStatement("SELECT origin FROM audit.head", isReadOnly: true))
        let signers = try LogKeyFile(path: path).signers(of: try origin.first?.decode(0))
        let appender = LogAppender(
            database: client,
            authority: CheckpointAuthority(
                signers: signers,
                journal: try CheckpointJournal(directory: folder, origin: signers[0].name)
            ),
            logger: logger
        )
        let batches = Self.batches()
        var checkpoints = 1
        let start = ContinuousClock.now
        var signed = start
        for batch in batches {
            _ = try await appender.append(try batch.map { try EntryMessage($0) })
            if .now - signed >= .milliseconds(500) {
                signed = .now
                _ = try await appender.sign()
                checkpoints += 1
            }
        }
        _ = try await appender.sign()
        let took = (ContinuousClock.now - start) / .seconds(1)
        print(
            """
            {"figure":"audit_append","entries":\(Self.entries),"seconds":\(String(format: "%.2f", took)),\
            "entries_s":\(Int(Double(Self.entries) / took)),"checkpoints":\(checkpoints)}
            """
        )
    }

    /// Deliveries of one lane, as many to a batch as the writer takes at once under load.
    private static func batches() -> [[Delivery]] {
        let producer = "automation-engine/bench-\(UInt32.random(in: .min ... .max))/0"
        return stride(from: 0, to: entries, by: perMessage * messagesPerBatch).map { first in
            let last = min(entries, first + perMessage * messagesPerBatch)
            return stride(from: first, to: last, by: perMessage).map { message in
                delivery(producer, message..<min(last, message + perMessage))
            }
        }
    }

    private static func delivery(_ producer: String, _ numbers: Range<Int>) -> Delivery {
        let lines = numbers.map { number in
            AuditDraft.benchmark(UUIDv7.make()).canonicalBytes(producer: producer, epoch: 1, seq: Int64(number) + 1)
        }
        var properties = MessageProperties(
            contentType: AuditEntriesV1.contentType,
            messageID: UUIDv7.make().lowercased,
            type: AuditEntriesV1.type,
            headers: [
                "x-schema-version": 1, "x-tenant": "default", "x-producer": .string(producer), "x-epoch": 1,
                "x-seq": .int64(Int64(numbers.lowerBound) + 1), "x-count": .int64(Int64(numbers.count)),
            ]
        )
        properties.appID = "automation-engine"
        properties.userID = "batuta_engine"
        properties.timestamp = 1_800_000_000
        return Delivery(
            token: Delivery.Token(epoch: 1, tag: 1),
            exchange: Topology.auditExchange,
            routingKey: "default.engine",
            isRedelivered: false,
            properties: properties,
            body: AuditEntriesV1.body(of: lines)
        )
    }
}

extension AuditDraft {
    /// What a run leaves.
    static func benchmark(_ id: UUID) -> AuditDraft {
        let after = """
            {"automation_key":"bench","automation_version":1,\
            "record":"53a040d804421e88447bc77c93edbe9f1a478509ce0243c5b91953d6a2e0bc7e",\
            "signal_id":"01a1fc06-534d-7161-b0a4-26fe979567c1","status":"succeeded"}
            """
        return AuditDraft(
            id: id,
            time: .now(),
            tenant: "default",
            actor: AuditActor(type: .system, id: "automation-engine"),
            action: "run.end",
            object: AuditObject(type: "run", id: id.lowercased),
            after: .canonical(Array(after.utf8)),
            traceID: "cf474103f37576ff46031b4fda89a57b"
        )
    }
}

/// Something that is measured does not work, or is not told what it needs.
struct Failure: Error {}
