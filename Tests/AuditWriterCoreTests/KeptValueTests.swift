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
            let before = try await desk.change()
            #expect(before.erased == nil && before.pending == true, "the value is on its way")
            #expect(before.after["decision"]?["comment"]?["$kept"]?["bytes"] == 9)
            try await desk.keep(kept)
            let there = try await desk.change()
            #expect(there.erased == nil && there.pending == nil)
            #expect(try there.after.canonicalBytes() == after.canonicalBytes())
            #expect(try await desk.erase(kept[0].hash) == .erased(bytes: 9))
            let gone = try await desk.change()
            #expect(gone.erased == true && gone.pending == nil && gone.pointer == "")
            let left = gone.after
            #expect(left["decision"]?["comment"]?["$kept"]?["bytes"] == 9)
            #expect(left["decision"]?["form"] == ["$kept": ["sha256": "own"]])
            #expect(left["decision"]?["approved"] == true && left["step"] == "ask")
        }
    }

    @Test("what is erased stays so, whatever brings it again, and its salt is gone with it")
    func repetition() async throws {
        try await Desk.with { desk in
            let body = Self.body(1)
            let command = Desk.command(body)
            try await desk.intake.process([command])
            #expect(try await desk.erase(body.hash) == .erased(bytes: 9))
            #expect(try await desk.kept() == [""])
            #expect(try await desk.erase(body.hash) == .refused(404))
            try await desk.intake.process([command])
            try await desk.intake.process([Desk.command(body), Desk.command(body)])
            #expect(try await desk.kept() == [""])
            #expect(try await desk.erase(body.hash) == .refused(404))
            let entries = try await desk.entries()
            #expect(entries.count == 1)
            #expect(entries.first?["before"] == ["bytes": 9, "sha256": .string(body.hash.hex)])
        }
    }

    @Test("a value that has not come yet is not kept when it comes; what another tenant erases is its own")
    func early() async throws {
        try await Desk.with { desk in
            let (body, own) = (Self.body(1), Self.body(2))
            #expect(try await desk.erase(body.hash) == .remembered)
            #expect(try await desk.erase(body.hash) == .refused(404))
            #expect(try await desk.erase(own.hash, as: "other") == .remembered)
            try await desk.keep([body, own])
            #expect(try await desk.kept() == ["", "", "value 2"])
            #expect(try await desk.erase(own.hash, as: "third") == .remembered)
            #expect(try await desk.kept().contains("value 2"))
            #expect(try await desk.erase(own.hash) == .erased(bytes: 9))
            #expect(try await desk.entries().map { $0["before"] ?? .null }.count { $0 == .null } == 3)
        }
    }

    @Test("the service's role can erase a row, once, and do nothing else to it")
    func rights() async throws {
        try await Desk.with { desk in
            let (body, other) = (Self.body(1), Self.body(2))
            try await desk.keep([body, other])
            #expect(try await desk.erase(body.hash) == .erased(bytes: 9))
            let (erased, kept) = ("erased_at IS NOT NULL", "erased_at IS NULL")
            let gone = "salt = decode(repeat('00', 16), 'hex'), body = '', erased_at = now()"
            for statement in [
                "DELETE FROM audit.kept_bodies WHERE \(erased)", "DELETE FROM audit.kept_bodies WHERE \(kept)",
                "UPDATE audit.kept_bodies SET body = 'value 3', erased_at = NULL WHERE \(erased)",
                "UPDATE audit.kept_bodies SET \(gone) WHERE \(erased)",
                "UPDATE audit.kept_bodies SET body = 'value 3' WHERE \(kept)",
                "UPDATE audit.kept_bodies SET salt = decode(repeat('00', 16), 'hex') WHERE \(kept)",
                "UPDATE audit.kept_bodies SET body = '', erased_at = now() WHERE \(kept)",
                "UPDATE audit.kept_bodies SET \(gone), tenant = 'other' WHERE \(kept)",
            ] {
                let error = await #expect(throws: PostgresError.self, "\(statement)") {
                    try await desk.texts(statement)
                }
                #expect(error?.sqlState == "42501", "\(statement)")
            }
            #expect(try await desk.kept() == ["", "value 2"])
            #expect(try await desk.erase(other.hash) == .erased(bytes: 9))
        }
    }

    @Test("of a value that comes while it is erased nothing is left")
    func atOnce() async throws {
        try await Desk.with { desk in
            // From both ends, so that some come first and some are erased first, and a few in the middle at once.
            let bodies = (0..<60).map { Self.body($0) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for body in bodies { try await desk.keep([body]) } }
                group.addTask { for body in bodies.reversed() { _ = try await desk.erase(body.hash) } }
                try await group.waitForAll()
            }
            #expect(try await desk.kept() == bodies.map { _ in "" })
        }
    }

    @Test("dead letters with an erased value are empty, those from before and those from after")
    func letters() async throws {
        try await Desk.with { desk in
            let (body, other) = (Self.body(1), Self.body(2))
            try await desk.intake.bury(Desk.command(body), reason: "it came twenty times")
            try await desk.intake.bury(Desk.command(other), reason: "it came twenty times")
            try await desk.intake.bury(Desk.command(body, tenant: "other"), reason: "it came twenty times")
            #expect(try await desk.letters() == ["value 1", "value 1", "value 2"])
            #expect(try await desk.erase(body.hash) == .erased(bytes: nil))
            #expect(try await desk.letters() == ["", "value 1", "value 2"])
            try await desk.intake.bury(Desk.command(body), reason: "it came twenty times")
            #expect(try await desk.letters() == ["", "", "value 1", "value 2"])
            #expect(try await desk.erase(body.hash) == .refused(404))
            #expect(try await desk.entries().first?["before"] == ["sha256": .string(body.hash.hex)])
        }
    }

    @Test("a letter that is put away while its value is being erased is empty")
    func lettersAtOnce() async throws {
        try await Desk.with { desk in
            let (first, body) = (Self.body(1), Self.body(2))
            // There is a lane from now on.
            #expect(try await desk.erase(first.hash) == .remembered)
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await desk.database.withTransaction { lane in
                    // The erasure has done all but its commit, and waits for the lane.
                    try await lane.execute(PostgresStatement("SELECT FROM audit.lanes FOR UPDATE"))
                    group.addTask {
                        let outcome = try await desk.erase(body.hash)
                        #expect(outcome == .remembered)
                    }
                    try await eventually("the erasure waits") { try await desk.waiting() == 1 }
                    group.addTask { try await desk.intake.bury(Desk.command(body), reason: "it came twenty times") }
                    try await eventually("the letter waits, or is there") {
                        let (letters, waiting) = (try await desk.letters(), try await desk.waiting())
                        return !letters.isEmpty || waiting == 2
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await desk.letters() == [""])
        }
    }

    private static func body(_ number: Int) -> KeptBody {
        KeptBody(body: Array("\"value \(number)\"".utf8), salt: AuditDraft.randomSalt())
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

    /// What an erasure comes to.
    enum Outcome: Equatable {
        case erased(bytes: Int64?)
        case remembered
        case refused(Int)
    }

    /// Erases a value.
    func erase(_ hash: [UInt8], as tenant: String = "acme") async throws -> Outcome {
        do {
            let request = try JSONDocument(parsing: #"{"sha256":"\#(hash.hex)","reason":"asked"}"#)
            let answer = try JSONDocument(parsing: try await erasure.erase(Self.context(tenant), request).body).root
            #expect(answer["sha256"]?.stringValue == hash.hex)
            return answer["erased"]?.boolValue == true
                ? .erased(bytes: answer["bytes"]?.int64Value) : .remembered
        } catch let problem as Problem {
            return .refused(problem.code.status)
        }
    }

    /// What is kept, sorted: the values, `salted` where there is a salt and no value.
    func kept() async throws -> [String] {
        try await texts(
            """
            SELECT CASE WHEN body <> '' THEN substring(body FROM 'value [0-9]+')
                        WHEN salt <> decode(repeat('00', 16), 'hex') THEN 'salted' ELSE '' END
            FROM audit.kept_bodies ORDER BY 1
            """
        )
    }

    /// The values in the bodies of the dead letters, sorted.
    func letters() async throws -> [String] {
        try await texts(
            "SELECT coalesce(substring(convert_from(body, 'UTF8') FROM 'value [0-9]+'), '') FROM audit.dead_letters ORDER BY 1"
        )
    }

    /// How many sessions wait for another.
    func waiting() async throws -> Int {
        try await texts(
            """
            SELECT count(DISTINCT l.pid)::text FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE NOT l.granted AND a.datname = current_database()
            """
        ).first.flatMap { Int($0) } ?? 0
    }

    /// The entries of erasures.
    func entries() async throws -> [JSONValue] {
        try await texts("SELECT convert_from(body, 'UTF8') FROM audit.outbox WHERE destination = 'audit'")
            .flatMap { $0.split(separator: "\n") }.map { try JSONValue(parsing: Array($0.utf8)) }
    }

    /// What the history tells of the object's one change.
    struct Told {
        var erased: Bool?
        var pending: Bool?
        /// Where it has changed, and to what.
        var pointer: String?
        var after: JSONValue
    }

    /// What the history tells of the object's one change.
    func change() async throws -> Told {
        let request = try JSONDocument(parsing: #"{"object_type":"run","object_id":"r"}"#)
        let reply = try await history.history(Self.context("acme"), request)
        let item = try #require(try JSONDocument(parsing: reply.body).root["items"]?[0])
        let change = item["changes"]?[0]
        return Told(
            erased: item["erased"]?.boolValue,
            pending: item["pending"]?.boolValue,
            pointer: change?["pointer"]?.stringValue,
            after: try #require(change?["after"]).value
        )
    }

    func texts(_ sql: String) async throws -> [String] {
        try await database.execute(PostgresStatement(sql)).map { try $0.decode(0) }
    }

    private static func context(_ tenant: String) -> RequestContext {
        RequestContext(tenant: tenant, actor: AuditActor(type: .admin, id: "ada"), requestID: "r")
    }
}
