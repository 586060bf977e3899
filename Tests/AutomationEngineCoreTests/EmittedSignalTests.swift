import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Signals that the engine has sent are read by their tenant", .requiresServers, .timeLimit(.minutes(1)))
struct EmittedSignalTests {
    /// Each time with a deadline of its own.
    private static var acme: RequestContext {
        RequestContext(tenant: "acme", actor: AuditActor(type: .system, id: "t"), requestID: "r")
    }

    private static let event = """
        {"specversion":"1.0","id":"i","source":"/s","type":"a.b","batutasignalid":"x"}
        """

    /// Stores a signal in a message of a lane.
    private static func emit(_ id: UUID, _ database: ServiceDatabase) async throws {
        try await database.executeAsSuperuser(
            """
            INSERT INTO engine.lanes (producer, signals_last) VALUES ('automation-engine/t/0', 1);
            INSERT INTO engine.signal_emissions VALUES ('\(id)', 'acme', 'a.b', '\(UUIDv7.make())', 0, '\(event)');
            INSERT INTO engine.outbox (message_id, epoch, destination, first_seq, last_seq, tenant, routing_key,
                                       message_type, schema_version, items)
            SELECT '\(UUIDv7.make())', epoch, 'signals', 1, 1, 'acme', 'a.b', 't', 1, ARRAY['\(id)'::uuid]
            FROM engine.lanes
            """
        )
    }

    @Test("it is accepted, then published, then processed")
    func statuses() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let id = UUIDv7.make()
            try await Self.emit(id, database)
            let signals = SignalDecisions(database: database.client, registry: .builtIn)
            let question = try JSONDocument(parsing: #"{"signal_id":"\#(id)"}"#)
            func status() async throws -> String? {
                let answer = try await signals.get(question, context: Self.acme)
                return try JSONValue(parsing: answer.body)["status"]?.stringValue
            }
            #expect(try await status() == "accepted")
            try await database.executeAsSuperuser("UPDATE engine.lanes SET signals_confirmed = 1")
            #expect(try await status() == "published")
            try await database.executeAsSuperuser(
                "INSERT INTO engine.inbox (signal_id, tenant, generation, signal_type) VALUES ('\(id)', 'acme', 1, 'a.b')"
            )
            #expect(try await status() == "processed")
        }
    }

    @Test("it is lacking until it is processed, and for those who ask, until its runs have left the queue")
    func lacking() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let (fresh, dead, queued, waiting) = (UUIDv7.make(), UUIDv7.make(), UUIDv7.make(), UUIDv7.make())
            try await database.executeAsSuperuser(
                """
                INSERT INTO engine.dead_letters (dead_letter_id, exchange, routing_key, item_id, headers, body, reason)
                VALUES (gen_random_uuid(), 'e', 'k', '\(dead)', '{}', '', 'r')
                """
            )
            for (signal, status) in [(queued, "queued"), (waiting, "waiting")] {
                try await database.executeAsSuperuser(
                    """
                    INSERT INTO engine.inbox VALUES ('\(signal)', 'acme', 1, 'a.b');
                    INSERT INTO engine.automation_dedup VALUES ('\(signal)', 'one', 'acme', '\(UUIDv7.make())');
                    INSERT INTO engine.automation_runs (run_id, tenant, automation_id, automation_key, automation_version,
                        signal_id, type, subtype, status, summary, started_at)
                    SELECT run_id, tenant, run_id, automation_key, 1, signal_id, 'automation', 'automation:one',
                           '\(status)', 's', now()
                    FROM engine.automation_dedup WHERE signal_id = '\(signal)'
                    """
                )
            }
            let signals = SignalDecisions(database: database.client, registry: .builtIn)
            func lacking(_ more: String = "") async throws -> Set<String> {
                let ids = [fresh, dead, queued, waiting].map { #""\#($0)""# }.joined(separator: ",")
                let question = try JSONDocument(parsing: #"{"signal_ids":[\#(ids)]\#(more)}"#)
                let answer = try await signals.lacking(question, context: Self.acme)
                let items = try JSONValue(parsing: answer.body)["lacking"]?.arrayValue ?? []
                return Set(items.compactMap(\.stringValue))
            }
            #expect(try await lacking() == [fresh.lowercased])
            #expect(try await lacking(#","begun":false"#) == [fresh.lowercased])
            #expect(try await lacking(#","begun":true"#) == [fresh.lowercased, queued.lowercased])
        }
    }

    @Test("it is answered as any other signal, at the time of its id where no step tells another")
    func answer() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let id = UUIDv7.make()
            try await Self.emit(id, database)
            let signals = SignalDecisions(database: database.client, registry: .builtIn)
            let question = try JSONDocument(parsing: #"{"signal_id":"\#(id)"}"#)
            let answer = try JSONValue(parsing: try await signals.get(question, context: Self.acme).body)
            let milliseconds = Int64(try #require(UUIDv7.milliseconds(of: id)))
            let expected: JSONValue = [
                "signal_id": .string(id.lowercased), "id": "i", "source": "/s", "type": "a.b",
                "accepted_at": .string(Timestamp(microseconds: milliseconds * 1_000).description),
                "status": "accepted", "decisions": [],
            ]
            #expect(answer == expected)
            var other = Self.acme
            other.tenant = "other"
            do {
                _ = try await signals.get(question, context: other)
                Issue.record("another tenant reads the signal")
            } catch {
                #expect((error as? Problem)?.code == .notFound)
            }
        }
    }
}
