import Contracts
import Domain
import Persistence
import PostgreSQL
import TestSupport
import Testing

@testable import Messaging

/// Changes with idempotency keys, on lanes of a real database.
@Suite("A change is made once for its key", .requiresServers, .timeLimit(.minutes(1)))
struct OnceTests {
    private static let first = Reply(status: 201, body: Array(#"{"secret":"s"}"#.utf8))
    private static let kept = Reply(status: 201, body: Array("{}".utf8))

    private static func request(
        tenant: String = "acme",
        principal: String = "token:1",
        route: String = "POST /x",
        key: String = "k",
        target: String = "",
        body: String = "{}"
    ) -> IdempotentRequest {
        IdempotentRequest(
            tenant: tenant,
            principal: principal,
            route: route,
            key: key,
            target: target,
            body: Array(body.utf8)
        )
    }

    /// Makes a tenant, so that a change can be counted.
    private static func change(
        _ request: IdempotentRequest?,
        _ lanes: LaneGroup,
        meanwhile: () async throws -> Void = {}
    ) async throws -> Reply {
        try await lanes.change { transaction in
            try await transaction.once(request) {
                let name = "t\(UInt32.random(in: .min ... .max))"
                transaction.enqueue([.tenant(name)])
                try await meanwhile()
                return .made(FirstReply(shown: first, kept: kept), .ofTenant(name))
            }
        }
    }

    private static func changes(_ database: ServiceDatabase) async throws -> Int {
        let rows = try await database.client.execute(PostgresStatement("SELECT count(*) FROM gateway.tenants"))
        return try #require(rows.first).decode(0)
    }

    private func withLanes(
        _ body: @Sendable (_ database: ServiceDatabase, _ lanes: LaneGroup) async throws -> Void
    ) async throws {
        try await ServiceDatabase.with(.gateway) { database in
            try await body(database, LaneGroup(context: .withoutBroker(database.client, schema: .gateway), count: 2))
        }
    }

    @Test("a repeat gets what was kept of the first answer")
    func repeated() async throws {
        try await withLanes { (database, lanes) async throws in
            #expect(try await Self.change(Self.request(), lanes) == Self.first)
            #expect(try await Self.change(Self.request(), lanes) == Self.kept)
            #expect(try await Self.changes(database) == 1)
            #expect(try await Self.change(nil, lanes) == Self.first)
            #expect(try await Self.change(nil, lanes) == Self.first)
            #expect(try await Self.changes(database) == 3)
        }
    }

    @Test("a key belongs to a tenant, a principal and a route")
    func keys() async throws {
        try await withLanes { (database, lanes) async throws in
            let requests = [
                Self.request(), Self.request(tenant: "other"), Self.request(principal: "token:2"),
                Self.request(route: "POST /y"), Self.request(key: "l"),
            ]
            for request in requests {
                #expect(try await Self.change(request, lanes) == Self.first)
            }
            #expect(try await Self.changes(database) == requests.count)
        }
    }

    @Test("a key that came with something else before is refused")
    func reused() async throws {
        try await withLanes { (database, lanes) async throws in
            _ = try await Self.change(Self.request(target: "a"), lanes)
            for other in [Self.request(target: "a", body: "{ }"), Self.request(target: "b"), Self.request()] {
                await expectProblem(.idempotencyKeyReused) { try await Self.change(other, lanes) }
            }
            #expect(try await Self.changes(database) == 1)
        }
    }

    @Test("a key whose change is under way is refused at once, and answered afterwards")
    func inFlight() async throws {
        try await withLanes { (database, lanes) async throws in
            let answer = try await Self.change(Self.request(), lanes) {
                await expectProblem(.inFlight) { try await Self.change(Self.request(), lanes) }
                let other = try await Self.change(Self.request(key: "l"), lanes)
                #expect(other == Self.first)
            }
            #expect(answer == Self.first)
            #expect(try await Self.change(Self.request(), lanes) == Self.kept)
            #expect(try await Self.changes(database) == 2)
        }
    }

    @Test("a change that is rolled back leaves its key free")
    func rolledBack() async throws {
        try await withLanes { (database, lanes) async throws in
            await expectProblem(.wrongState) {
                try await Self.change(Self.request(), lanes) { throw Problem(.wrongState) }
            }
            #expect(try await Self.changes(database) == 0)
            #expect(try await Self.change(Self.request(body: "[]"), lanes) == Self.first)
        }
    }

    @Test("a request over the broker has the key of its caller's credential")
    func overTheBroker() {
        var context = RequestContext(
            tenant: "acme",
            actor: AuditActor(type: .user, id: "ana", via: "token:1"),
            requestID: "r"
        )
        #expect(IdempotentRequest(context, route: "x", body: [])?.key == nil)
        context.idempotencyKey = "k"
        #expect(IdempotentRequest(context, route: "x", body: [])?.key == ["acme", "token:1", "x", "k"])
    }

    private func expectProblem(
        _ code: ProblemCode,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Reply
    ) async {
        do {
            let reply = try await body()
            Issue.record("it was answered \(reply)", sourceLocation: sourceLocation)
        } catch {
            #expect((error as? Problem)?.code == code, "\(error)", sourceLocation: sourceLocation)
        }
    }
}
