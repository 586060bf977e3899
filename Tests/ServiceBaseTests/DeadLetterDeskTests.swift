import Contracts
import CoreMetrics
import Domain
import Foundation
import JSON
import Messaging
import MetricsTestKit
import Persistence
import Synchronization
import TestSupport
import Testing

@testable import ServiceBase

/// Dead letters on a real database of the engine's, with a processing function of the test's own.
@Suite("What is done about dead letters", .requiresServers, .timeLimit(.minutes(1)))
struct DeadLetterDeskTests {
    /// What the messages are processed by.
    private final class Work: Sendable {
        struct Refused: Error, CustomStringConvertible {
            let description = "it is refused"
        }

        private let state = Mutex<(deliveries: [Delivery], isRefusing: Bool)>(([], false))

        var deliveries: [Delivery] { state.withLock { $0.deliveries } }

        func refuse(_ isRefusing: Bool) { state.withLock { $0.isRefusing = isRefusing } }

        func process(_ deliveries: [Delivery]) throws {
            try state.withLock { state in
                guard !state.isRefusing else { throw Refused() }
                state.deliveries += deliveries
            }
        }
    }

    private struct Office: Sendable {
        let database: ServiceDatabase
        let repository: DeadLetterRepository
        let lanes: LaneGroup
        let work = Work()

        func desk(_ process: BatchConsumer.Process? = nil) -> DeadLetterDesk {
            DeadLetterDesk(
                service: .engine,
                repository: repository,
                lanes: lanes,
                process: process ?? { [work] in try work.process($0) },
                classify: { $0 is Work.Refused ? .data : .retry },
                logger: ServiceDatabase.logger
            )
        }

        /// Buries a delivery; answers its letter's id.
        @discardableResult
        func bury(_ delivery: Delivery, item: UUID? = nil, body: [UInt8]? = nil) async throws -> UUID {
            let letter = DeadLetter(delivery, itemID: item, body: body, reason: "it was bad")
            try await repository.insert(letter, deadline: .now + .seconds(5))
            let rows = try await database.client.execute(
                PostgresStatement(
                    "SELECT dead_letter_id FROM engine.dead_letters WHERE message_id = $1",
                    [.text(delivery.properties.messageID)]
                )
            )
            return try #require(rows.first).decode(0)
        }

        func entries() async throws -> [JSONValue] {
            let rows = try await database.client.execute(
                PostgresStatement("SELECT convert_from(body, 'UTF8') FROM engine.outbox WHERE destination = 'audit'")
            )
            return try rows.flatMap { row in
                try row.decode(0, as: String.self).split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
            }
        }
    }

    private static func context(_ tenant: String = "acme") -> RequestContext {
        RequestContext(
            tenant: tenant,
            actor: AuditActor(type: .user, id: "ann", via: "token:1"),
            requestID: "r-1",
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        )
    }

    private static func delivery(tenant: String? = "acme", body: [UInt8] = [0, 255]) -> Delivery {
        var properties = MessageProperties(
            contentType: "application/cloudevents-batch+json",
            messageID: UUIDv7.make().lowercased,
            type: ContractType.signalsAccepted,
            headers: ["x-odd": .array([.double(.infinity), .bytes([1]), .timestamp(7), .void])]
        )
        properties.headers["x-tenant"] = tenant.map { .string($0) }
        properties.userID = "batuta_gateway"
        properties.timestamp = 1_795_000_000
        return Delivery(
            token: Delivery.Token(epoch: 1, tag: 9),
            exchange: "batuta.signals",
            routingKey: "orders.paid",
            isRedelivered: false,
            properties: properties,
            body: body
        )
    }

    private static func body(_ id: UUID, reason: String? = nil) throws -> JSONDocument {
        var members = [JSONMember("id", .string(id.uuidString))]
        if let reason { members.append(JSONMember("reason", .string(reason))) }
        return try JSONDocument(parsing: JSONValue.object(members).canonicalBytes())
    }

    private func with(_ test: @Sendable (Office) async throws -> Void) async throws {
        try await ServiceDatabase.with(.engine, connections: 8) { database in
            try await test(
                Office(
                    database: database,
                    repository: DeadLetterRepository(schema: "engine", database: database.client),
                    lanes: LaneGroup(context: .withoutBroker(database.client, schema: .engine), count: 2)
                )
            )
        }
    }

    @Test("a redriven message is processed as it was delivered, once, with one entry")
    func redriven() async throws {
        try await with { office in
            let desk = office.desk()
            let delivery = Self.delivery()
            let id = try await office.bury(delivery)
            for _ in 0..<2 {
                let reply = try await desk.redrive(Self.context(), Self.body(id))
                #expect(reply.status == 200)
                let letter = try JSONValue(parsing: reply.body)
                #expect(letter["state"] == "redriven")
                #expect(letter["redriven_at"]?.stringValue != nil)
            }
            let processed = try #require(office.work.deliveries.first)
            #expect(office.work.deliveries.count == 1)
            #expect(processed.properties == delivery.properties)
            #expect(processed.body == delivery.body)
            #expect(processed.exchange == delivery.exchange)
            #expect(processed.routingKey == delivery.routingKey)
            let entries = try await office.entries()
            let entry = try #require(entries.first)
            #expect(entries.count == 1)
            #expect(entry["action"] == "redrive")
            #expect(entry["object"] == ["id": .string(id.lowercased), "type": "dead_letter"])
            #expect(entry["actor"]?["id"] == "ann")
            #expect(entry["before"]?["state"] == "waiting")
            #expect(entry["before"]?["reason"] == "it was bad")
            #expect(entry["after"]?["state"] == "redriven")
            #expect(entry["request_id"] == "r-1")
            #expect(entry["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736")
            await Self.expect(.wrongState) { try await desk.discard(Self.context(), Self.body(id, reason: "late")) }
        }
    }

    @Test("a letter of one signal is a batch of one")
    func item() async throws {
        try await with { office in
            let id = try await office.bury(Self.delivery(), item: UUIDv7.make(), body: Array("{}".utf8))
            _ = try await office.desk().redrive(Self.context(), Self.body(id))
            #expect(office.work.deliveries.first?.body == Array("[{}]".utf8))
        }
    }

    @Test("a message that fails again waits on, and can be redriven later")
    func failing() async throws {
        try await with { office in
            let desk = office.desk()
            let id = try await office.bury(Self.delivery())
            office.work.refuse(true)
            for _ in 0..<2 {
                let problem = await Self.expect(.notProcessable) {
                    try await desk.redrive(Self.context(), Self.body(id))
                }
                #expect(problem?.detail.contains("it is refused") == true)
            }
            struct Away: Error {}
            let away = office.desk { _ in throw Away() }
            await Self.expect(.unavailable) { try await away.redrive(Self.context(), Self.body(id)) }
            #expect(try await office.entries().isEmpty)
            #expect(try await office.repository.waitingCount(deadline: .now + .seconds(5)) == 1)
            office.work.refuse(false)
            #expect(try await desk.redrive(Self.context(), Self.body(id)).status == 200)
            #expect(try await office.repository.waitingCount(deadline: .now + .seconds(5)) == 0)
        }
    }

    @Test("while a letter is processed nobody else may redrive or discard it")
    func claimed() async throws {
        try await with { office in
            let other = office.desk()
            let id = try await office.bury(Self.delivery())
            let desk = office.desk { deliveries in
                await Self.expect(.inFlight) { try await other.redrive(Self.context(), Self.body(id)) }
                await Self.expect(.inFlight) { try await other.discard(Self.context(), Self.body(id, reason: "no")) }
                try office.work.process(deliveries)
            }
            #expect(try await desk.redrive(Self.context(), Self.body(id)).status == 200)
            #expect(office.work.deliveries.count == 1)
            #expect(try await office.entries().count == 1)
        }
    }

    @Test("what a process left half done is done again after its claim")
    func abandoned() async throws {
        try await with { office in
            let id = try await office.bury(Self.delivery())
            let claim = try await office.repository.claim(id, of: "acme", by: UUID(), deadline: .now + .seconds(5))
            #expect(claim != nil)
            await Self.expect(.inFlight) { try await office.desk().redrive(Self.context(), Self.body(id)) }
            try await office.database.client.execute(
                PostgresStatement("UPDATE engine.dead_letters SET claimed_until = now() - interval '1 second'")
            )
            #expect(try await office.desk().redrive(Self.context(), Self.body(id)).status == 200)
        }
    }

    @Test("a discarded letter is kept with its reason, audited once, and never processed")
    func discarded() async throws {
        try await with { office in
            let desk = office.desk()
            let id = try await office.bury(Self.delivery())
            for reason in ["", String(repeating: "x", count: 1_001), "a\u{0}b"] {
                await Self.expect(.invalidRequest) {
                    try await desk.discard(Self.context(), Self.body(id, reason: reason))
                }
            }
            for reason in ["no longer wanted", "another"] {
                let reply = try await desk.discard(Self.context(), Self.body(id, reason: reason))
                let letter = try JSONValue(parsing: reply.body)
                #expect(letter["state"] == "discarded")
                #expect(letter["discard_reason"] == "no longer wanted")
            }
            await Self.expect(.wrongState) { try await desk.redrive(Self.context(), Self.body(id)) }
            #expect(office.work.deliveries.isEmpty)
            let entries = try await office.entries()
            #expect(entries.count == 1)
            #expect(entries.first?["action"] == "discard")
            #expect(entries.first?["reason"] == "no longer wanted")
        }
    }

    @Test("a tenant has its own letters; those of nobody are batuta's")
    func tenants() async throws {
        try await with { office in
            let desk = office.desk()
            let own = try await office.bury(Self.delivery(tenant: "acme", body: Array("text ß".utf8)))
            let nobodys = try await office.bury(Self.delivery(tenant: nil))
            let nameless = try await office.bury(Self.delivery(tenant: "No Tenant"))
            let expected = ["acme": [own], "other": [], "batuta": [nobodys, nameless]]
            for (tenant, letters) in expected {
                let context = Self.context(tenant)
                let list = try JSONValue(parsing: try await desk.list(context, JSONDocument(parsing: "{}")).body)
                let ids = list["items"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
                #expect(Set(ids) == Set(letters.map(\.lowercased)))
                for id in [own, nobodys, nameless] where !letters.contains(id) {
                    await Self.expect(.notFound) { try await desk.get(context, Self.body(id)) }
                    await Self.expect(.notFound) { try await desk.redrive(context, Self.body(id)) }
                    await Self.expect(.notFound) { try await desk.discard(context, Self.body(id, reason: "no")) }
                }
            }
            let text = try JSONValue(parsing: try await desk.get(Self.context(), Self.body(own)).body)
            #expect(text["body"] == "text ß")
            #expect(text["body_encoding"] == "text")
            #expect(text["properties"]?["headers"]?["x-odd"]?[1] == ["$bytes": "AQ=="])
            let bytes = try JSONValue(parsing: try await desk.get(Self.context("batuta"), Self.body(nobodys)).body)
            #expect(bytes["body"] == "AP8=")
            #expect(bytes["body_encoding"] == "base64")
            #expect(try await desk.redrive(Self.context("batuta"), Self.body(nobodys)).status == 200)
            #expect(try await office.entries().first?["tenant"] == "batuta")
        }
    }

    @Test("pages hold every letter once, the newest first")
    func pages() async throws {
        try await with { office in
            let desk = office.desk()
            var ids: [UUID] = []
            for _ in 0..<7 { ids.append(try await office.bury(Self.delivery())) }
            // Several have come at the same instant.
            try await office.database.client.execute(
                PostgresStatement("UPDATE engine.dead_letters SET received_at = date_trunc('hour', received_at)")
            )
            _ = try await desk.discard(Self.context(), Self.body(ids[3], reason: "no"))
            var found: [String] = []
            var cursor: String?
            repeat {
                let request: JSONValue = ["limit": 2, "cursor": cursor.map { .string($0) } ?? .null]
                let page = try await desk.list(Self.context(), JSONDocument(parsing: request.canonicalBytes()))
                let answer = try JSONValue(parsing: page.body)
                found += answer["items"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
                cursor = answer["next"]?.stringValue
            } while cursor != nil && found.count < 20
            ids.remove(at: 3)
            #expect(found == ids.sorted(by: >).map(\.lowercased))
            await Self.expect(.invalidCursor) {
                try await desk.list(Self.context(), JSONDocument(parsing: #"{"cursor":"1_x"}"#))
            }
            await Self.expect(.invalidRequest) {
                try await desk.list(Self.context(), JSONDocument(parsing: #"{"state":"lost"}"#))
            }
        }
    }

    @Test("the gauge follows what the process knows of")
    func gauge() async throws {
        try await with { office in
            let metrics = TestMetrics()
            let gauge = DeadLetterGauge(repository: office.repository, logger: ServiceDatabase.logger, metrics: metrics)
            try await office.bury(Self.delivery())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await gauge.run() }
                func shows(_ count: Double) async throws {
                    try await eventually("the gauge shows \(count)") {
                        try metrics.expectGauge(DeadLetterGauge.label).lastValue == count
                    }
                }
                try await shows(1)
                try await office.bury(Self.delivery())
                gauge.changed()
                try await shows(2)
                group.cancelAll()
            }
        }
    }

    @discardableResult
    private static func expect(
        _ code: ProblemCode,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Reply
    ) async -> Problem? {
        do {
            let reply = try await body()
            Issue.record("it was answered \(reply)", sourceLocation: sourceLocation)
            return nil
        } catch {
            #expect((error as? Problem)?.code == code, "\(error)", sourceLocation: sourceLocation)
            return error as? Problem
        }
    }
}
