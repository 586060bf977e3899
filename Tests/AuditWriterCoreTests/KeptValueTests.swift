import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

/// What is kept beside the log: read with the history, and erased.
@Suite("Values kept apart", .requiresServers, .timeLimit(.minutes(1)))
struct KeptValueTests {
    @Test("a history shows personal values while they are there, and after that what is around them")
    func history() async throws {
        try await Desk.with { desk in
            let after: JSONValue = [
                "decision": ["approved": true, "comment": "ask ada", "form": ["$kept": ["sha256": "own"]]],
                "step": "ask",
            ]
            let kept = try await desk.log(after, personal: ["/decision/comment"])
            try await desk.keep(kept)
            let (erasedBefore, _, whole) = try await desk.change()
            #expect(erasedBefore == nil)
            #expect(try whole.canonicalBytes() == after.canonicalBytes())
            #expect(try await desk.erase(kept[0].hash) == 200)
            let (erased, pointer, left) = try await desk.change()
            #expect(erased == true && pointer == "")
            #expect(left["decision"]?["comment"]?["$kept"]?["bytes"] == 9)
            #expect(left["decision"]?["form"] == ["$kept": ["sha256": "own"]])
            #expect(left["decision"]?["approved"] == true && left["step"] == "ask")
        }
    }
}

/// A log of one object, and what is kept beside it.
private struct Desk {
    let database: PostgresClient
    let intake: KeepIntake
    private let history: HistoryRequests
    private let erasure: ErasureRequests
    private let appender: LogAppender

    static func with(_ body: (Desk) async throws -> Void) async throws {
        try await ServiceDatabase.with(.audit) { database in
            let lanes = LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1)
            try await body(
                Desk(
                    database: database.client,
                    intake: KeepIntake(
                        repository: KeptBodyRepository(database: database.client),
                        deadLetters: DeadLetterRepository(schema: "audit", database: database.client)
                    ),
                    history: HistoryRequests(database: database.client, accesses: LogAccesses(lanes: lanes)),
                    erasure: ErasureRequests(database: database.client, lanes: lanes),
                    appender: LogAppender(database: database.client, logger: ServiceDatabase.logger)
                )
            )
        }
    }

    /// Brings the one entry of the log, and answers what is to be kept beside it.
    func log(_ after: JSONValue, personal places: [String]) async throws -> [KeptBody] {
        let (draft, kept) = AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: "acme",
            actor: AuditActor(type: .user, id: "olga"),
            action: "run.approve",
            object: AuditObject(type: "run", id: "r"),
            after: try .json(after, personal: places.map { try #require(JSONPointer($0)) })
        ).keepingApart()
        let line = draft.canonicalBytes(producer: Entries.producer, epoch: 1, seq: 1)
        _ = try await appender.append([try EntryMessage(Entries.delivery([line], seq: 1))])
        return kept
    }

    /// Brings the commands of values, as the broker does.
    func keep(_ bodies: [KeptBody]) async throws {
        try await intake.process(bodies.map { Self.command($0) })
    }

    /// The command of a value; each time another one.
    static func command(_ body: KeptBody, tenant: String = "acme") -> Delivery {
        let delivery = Entries.delivery([], seq: 1, tenant: tenant, count: 1) {
            $0.type = AuditKeepV1.type
            $0.contentType = "application/json"
        }
        return Delivery(
            token: delivery.token,
            exchange: Topology.commandsExchange,
            routingKey: "audit.keep",
            isRedelivered: false,
            properties: delivery.properties,
            body: AuditKeepV1(body).body
        )
    }

    /// Erases a value; answers the status.
    func erase(_ hash: [UInt8], as tenant: String = "acme") async throws -> Int {
        do {
            let request = try JSONDocument(parsing: #"{"sha256":"\#(hash.hex)","reason":"asked"}"#)
            return try await erasure.erase(Self.context(tenant), request).status
        } catch let problem as Problem {
            return problem.code.status
        }
    }

    /// What the history tells of the object's one change: whether something is erased, where it has changed, and to what.
    func change() async throws -> (erased: Bool?, pointer: String?, after: JSONValue) {
        let request = try JSONDocument(parsing: #"{"object_type":"run","object_id":"r"}"#)
        let reply = try await history.history(Self.context("acme"), request)
        let item = try #require(try JSONDocument(parsing: reply.body).root["items"]?[0])
        let change = item["changes"]?[0]
        return (item["erased"]?.boolValue, change?["pointer"]?.stringValue, try #require(change?["after"]).value)
    }

    func texts(_ sql: String) async throws -> [String] {
        try await database.execute(PostgresStatement(sql)).map { try $0.decode(0) }
    }

    private static func context(_ tenant: String) -> RequestContext {
        RequestContext(tenant: tenant, actor: AuditActor(type: .admin, id: "ada"), requestID: "r")
    }
}
