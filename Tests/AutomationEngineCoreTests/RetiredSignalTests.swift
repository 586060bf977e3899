import Domain
import FoundationEssentials
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("A signal whose week is gone", .requiresServers, .timeLimit(.minutes(2)))
struct RetiredSignalTests {
    private static func signal(daysAgo days: UInt64) -> (id: UUID, event: String) {
        let now = UInt64(Date().timeIntervalSince1970 * 1_000)
        let id = UUIDv7.make(milliseconds: now - days * 86_400_000, high: .random(in: 0...9_999), low: 1)
        return (
            id, #"{"specversion":"1.0","id":"1","source":"/t","type":"a.b","batutasignalid":"\#(id.lowercased)"}"#
        )
    }

    private static func delivery(_ events: [String]) -> Delivery {
        Delivery(
            token: Delivery.Token(epoch: 1, tag: 1),
            exchange: Topology.signalsExchange,
            routingKey: "a.b",
            isRedelivered: false,
            properties: MessageProperties(
                messageID: UUIDv7.make().lowercased,
                headers: ["x-tenant": "acme", "x-schema-version": 1]
            ),
            body: Array("[\(events.joined(separator: ","))]".utf8)
        )
    }

    @Test("is put away whole, counts as held, and stands in nobody's way")
    func putAway() async throws {
        try await TestEngine.with { engine in
            try await TestEngine.withClient { client in
                let intake = SignalIntake(
                    processor: SignalProcessor(
                        lanes: engine.lanes,
                        catalogue: AutomationCatalogue(
                            database: engine.database,
                            registry: .builtIn,
                            logger: ServiceDatabase.logger
                        ),
                        driver: engine.driver(client, committer: engine.committer()),
                        owner: engine.instance,
                        now: { Int64(Date().timeIntervalSince1970 * 1_000_000) }
                    ),
                    deadLetters: DeadLetterRepository(schema: "engine", database: engine.database),
                    metrics: EngineMetrics()
                )
                let (old, young) = (Self.signal(daysAgo: 200), Self.signal(daysAgo: 0))
                let delivery = Self.delivery([young.event, old.event])
                let error = await #expect(throws: RetiredSignal.self) { try await intake.process([delivery]) }
                #expect(error.map { SignalIntake.classify($0) } == .data)
                try await intake.bury(delivery, reason: "a reason")
                #expect(try await engine.texts("SELECT signal_id::text FROM engine.inbox") == [young.id.lowercased])
                #expect(
                    try await engine.texts(
                        "SELECT item_id::text || ' ' || convert_from(body, 'UTF8') FROM engine.dead_letters"
                    )
                        == ["\(old.id.lowercased) \(old.event)"]
                )
            }
        }
    }

    @Test("is told from one whose partition is yet to be made")
    func future() async throws {
        try await TestEngine.with { engine in
            try await TestEngine.withClient { client in
                let now = Int64(Date().timeIntervalSince1970 * 1_000_000) + 400 * 86_400_000_000
                let driver = engine.driver(client, committer: engine.committer())
                let intake = SignalIntake(
                    processor: SignalProcessor(
                        lanes: engine.lanes,
                        catalogue: AutomationCatalogue(
                            database: engine.database,
                            registry: .builtIn,
                            logger: ServiceDatabase.logger
                        ),
                        driver: driver,
                        owner: engine.instance,
                        now: { now }
                    ),
                    deadLetters: DeadLetterRepository(schema: "engine", database: engine.database),
                    metrics: EngineMetrics()
                )
                let id = UUIDv7.make(milliseconds: UInt64(now / 1_000), high: 1, low: 1)
                let event =
                    #"{"specversion":"1.0","id":"1","source":"/t","type":"a.b","batutasignalid":"\#(id.lowercased)"}"#
                let error = await #expect(throws: PostgresError.self) {
                    try await intake.process([Self.delivery([event])])
                }
                #expect(error.map { SignalIntake.classify($0) } == .retry)
            }
        }
    }
}
