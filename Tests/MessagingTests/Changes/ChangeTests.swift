import Contracts
import Domain
import JSON
import Persistence
import PostgreSQL
import TestSupport
import Testing

@testable import Messaging

/// Changes of what users see, on lanes of a real database.
@Suite("A change leaves its entries", .requiresServers, .timeLimit(.minutes(1)))
struct ChangeTests {
    private struct Desk: Sendable {
        let database: ServiceDatabase
        let lanes: LaneGroup

        func texts(_ query: String) async throws -> [String] {
            try await database.client.execute(PostgresStatement(query)).map { try $0.decode(0) }
        }

        func tenants() async throws -> [String] { try await texts("SELECT tenant FROM gateway.tenants ORDER BY 1") }

        /// The destinations of what is in the outbox, sorted.
        func outbox() async throws -> [String] { try await texts("SELECT destination FROM gateway.outbox ORDER BY 1") }

        /// The entries in the outbox, in the order of their numbers.
        func entries() async throws -> [JSONValue] {
            try await texts("SELECT convert_from(body, 'UTF8') FROM gateway.outbox WHERE destination = 'audit'")
                .flatMap { $0.split(separator: "\n") }.map { try JSONValue(parsing: Array($0.utf8)) }
                .sorted { $0["seq"]?.int64Value ?? 0 < $1["seq"]?.int64Value ?? 0 }
        }
    }

    private func withDesk(_ body: @Sendable (Desk) async throws -> Void) async throws {
        try await ServiceDatabase.with(.gateway) { database in
            let lanes = LaneGroup(context: .withoutBroker(database.client, schema: .gateway), count: 1)
            try await body(Desk(database: database, lanes: lanes))
        }
    }

    /// The ways in which a statement of a change is executed.
    enum Way: CaseIterable {
        case execute
        case pipeline
        case enqueue

        func write(_ name: String, in transaction: ChangeTransaction) async throws {
            switch self {
            case .execute: try await transaction.execute(.tenant(name))
            case .pipeline: try await transaction.pipeline([.tenant(name)])
            case .enqueue: transaction.enqueue([.tenant(name)])
            }
        }
    }

    @Test("what is written is committed with an entry for each object", arguments: Way.allCases)
    func made(_ way: Way) async throws {
        try await withDesk { (desk) async throws in
            let result = try await desk.lanes.change { transaction in
                try await way.write("one", in: transaction)
                try await way.write("two", in: transaction)
                return .made(7, .ofTenant("one"), and: [.ofTenant("two")])
            }
            #expect(result == 7)
            #expect(try await desk.tenants() == ["one", "two"])
            #expect(try await desk.entries().map { $0["object"]?["id"] } == ["one", "two"])
        }
    }

    @Test("the entries of a change stand before those of what it has led to")
    func order() async throws {
        try await withDesk { (desk) async throws in
            try await desk.lanes.change { transaction in
                transaction.lane.audit(.ofTenant("led to"))
                transaction.enqueue([.tenant("one")])
                return .made((), .ofTenant("one"), and: [.ofTenant("with it")])
            }
            #expect(try await desk.entries().map { $0["object"]?["id"] } == ["one", "with it", "led to"])
        }
    }

    @Test("what is written without an entry is rolled back", arguments: Way.allCases)
    func unaudited(_ way: Way) async throws {
        try await withDesk { (desk) async throws in
            await #expect(throws: UnauditedChangeError.self) {
                try await desk.lanes.change { transaction in
                    try await way.write("one", in: transaction)
                    return .none(())
                }
            }
            #expect(try await desk.tenants().isEmpty)
            #expect(try await desk.outbox().isEmpty)
        }
    }

    @Test("what is as asked for already leaves nothing, whether a statement has found that or the body")
    func none() async throws {
        try await withDesk { (desk) async throws in
            let result = try await desk.lanes.change { transaction in
                let insertion = ChangeStatement(
                    "INSERT INTO gateway.tenants (tenant, name) SELECT 'one', 'one' WHERE false RETURNING tenant"
                )
                let rows = try await transaction.execute(insertion)
                return rows.isEmpty ? .none("nothing") : .made("something", .ofTenant("one"))
            }
            #expect(result == "nothing")
            #expect(try await desk.lanes.change { _ in .none(7) } == 7)
            #expect(try await desk.outbox().isEmpty)
        }
    }

    @Test("a value that is too large for an entry goes to the audit-writer, and the entry names it by its hash")
    func large() async throws {
        try await withDesk { (desk) async throws in
            try await desk.lanes.change { transaction in
                transaction.enqueue([.tenant("one")])
                var entry = AuditDraft.ofTenant("one")
                entry.after = try .json(["name": .string(String(repeating: "x", count: AuditDraft.largestValue))])
                return .made((), entry)
            }
            #expect(try await desk.outbox() == ["audit", "commands"])
            let after = try #require(try await desk.entries().first?["after"])
            #expect(after["$kept"]?["bytes"]?.int64Value == Int64(AuditDraft.largestValue + 11))
        }
    }

    @Test("a change that throws leaves nothing")
    func thrown() async throws {
        try await withDesk { (desk) async throws in
            await #expect(throws: Problem.self) {
                try await desk.lanes.change { transaction -> Change<Void> in
                    transaction.enqueue([.tenant("one")])
                    throw Problem(.wrongState)
                }
            }
            #expect(try await desk.tenants().isEmpty)
            #expect(try await desk.outbox().isEmpty)
        }
    }
}

extension ChangeStatement {
    /// Makes a tenant.
    static func tenant(_ name: String) -> ChangeStatement {
        ChangeStatement("INSERT INTO gateway.tenants (tenant, name) VALUES ($1, $1)", [.text(name)])
    }
}

extension AuditDraft {
    /// The entry of a tenant that was made.
    static func ofTenant(_ name: String) -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: "acme",
            actor: AuditActor(type: .system, id: "tests"),
            action: "tenant.create",
            object: AuditObject(type: "tenant", id: name)
        )
    }
}
