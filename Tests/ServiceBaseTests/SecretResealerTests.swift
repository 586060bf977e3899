import MetricsTestKit
import Persistence
import Secrets
import TestSupport
import Testing

@testable import ServiceBase

/// Sealed secrets on a real database, of the engine's table.
@Suite("Secrets are sealed anew when the first key changes", .requiresServers, .timeLimit(.minutes(1)))
struct SecretResealerTests {
    private static let column = SealedColumn(.engineSecret, table: "engine.secrets", column: "sealed", name: "name")

    private let old: Secret
    private let new: Secret

    init() throws {
        old = try SecretKeyRing.generate(id: "old")
        new = try SecretKeyRing.generate(id: "new")
    }

    private func ring(_ keys: Secret...) throws -> SecretKeyRing {
        try SecretKeyRing(keyFile: Secret(keys.compactMap { $0.withText { $0 } }.joined()))
    }

    private func resealer(
        _ ring: SecretKeyRing,
        _ database: ServiceDatabase,
        metrics: TestMetrics = TestMetrics()
    ) -> SecretResealer {
        SecretResealer(
            columns: [Self.column],
            ring: ring,
            database: database.client,
            logger: ServiceDatabase.logger,
            metrics: metrics
        )
    }

    /// Stores secrets of which each is its own name.
    private func store(_ names: [String], _ ring: SecretKeyRing, _ database: ServiceDatabase) async throws {
        for (index, name) in names.enumerated() {
            let context = SecretContext(
                kind: .engineSecret,
                tenant: index % 3 == 0 ? "acme" : "other",
                name: name,
                version: Int64(index + 1)
            )
            try await database.client.execute(
                PostgresStatement(
                    """
                    INSERT INTO engine.secrets (tenant, name, version, sealed, created_at, updated_at, updated_by)
                    VALUES ($1, $2, $3, $4, now(), now(), 'tests')
                    """,
                    [
                        .text(context.tenant), .text(name), .int(index + 1),
                        .bytes(try ring.seal(Secret(name), for: context).bytes),
                    ]
                )
            )
        }
    }

    /// The names of the secrets that open with a ring, and are what they were.
    private func open(_ ring: SecretKeyRing, _ database: ServiceDatabase) async throws -> Set<String> {
        let rows = try await database.client.execute(
            PostgresStatement("SELECT tenant, name, version::bigint, sealed FROM engine.secrets")
        )
        return Set(
            try rows.map { try Self.column.row($0) }.compactMap { row in
                let secret = try? ring.open(SealedSecret(bytes: row.sealed), for: row.context)
                return secret == Secret(row.context.name) ? row.context.name : nil
            }
        )
    }

    private static let names = (0..<250).map { "secret-\($0)" }

    @Test("they open with the new key alone afterwards, and a second pass finds nothing")
    func resealed() async throws {
        try await ServiceDatabase.with(.engine) { (database) async throws in
            try await store(Self.names, ring(old), database)
            #expect(try await open(ring(new), database) == [])
            let resealer = resealer(try ring(new, old), database)
            #expect(try await resealer.reseal() == SecretResealer.Outcome(resealed: 250, unopened: 0))
            #expect(try await open(ring(new), database) == Set(Self.names))
            #expect(try await resealer.reseal() == SecretResealer.Outcome())
        }
    }

    @Test("a key that is merely there as well seals nothing anew")
    func appended() async throws {
        try await ServiceDatabase.with(.engine) { (database) async throws in
            try await store(["a"], ring(old), database)
            #expect(try await resealer(try ring(old, new), database).reseal() == SecretResealer.Outcome())
            #expect(try await open(ring(old), database) == ["a"])
        }
    }

    @Test("what does not open stays as it is, and is counted")
    func unopened() async throws {
        try await ServiceDatabase.with(.engine) { (database) async throws in
            try await store(["a", "b", "c"], ring(old), database)
            try await database.client.execute(
                PostgresStatement(
                    """
                    UPDATE engine.secrets SET sealed = set_byte(sealed, octet_length(sealed) - 1, 0) || '\\x00'
                    WHERE name = 'b'
                    """
                )
            )
            let lost = try SecretKeyRing.generate(id: "lost")
            try await store(["d"], ring(lost), database)
            let metrics = TestMetrics()
            let resealer = resealer(try ring(new, old), database, metrics: metrics)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await resealer.run() }
                let dimensions = [("kind", "engine.secret")]
                try await eventually("they are counted") {
                    try metrics.expectGauge(SecretResealer.gaugeLabel, dimensions).lastValue
                } until: {
                    $0 == 2
                }
                group.cancelAll()
            }
            #expect(try await open(ring(new), database) == ["a", "c"])
            #expect(try await open(ring(lost), database) == ["d"])
        }
    }

    @Test("a value that was set in the meantime is not overwritten")
    func compared() async throws {
        try await ServiceDatabase.with(.engine) { (database) async throws in
            try await store(["a"], ring(old), database)
            let head = SealedSecret.head(keyID: "new")
            let rows = try await database.client.execute(Self.column.next(besides: head, after: nil, limit: 10))
            let row = try Self.column.row(try #require(rows.first))
            try await database.client.execute(PostgresStatement("UPDATE engine.secrets SET sealed = '\\x00'"))
            let replacement = SealedColumn.Replacement(row: row, sealed: [1])
            let changed = try await database.client.execute(Self.column.replacing([replacement])).affectedRows
            #expect(changed == 0)
        }
    }

    @Test("replicas that start at once seal each secret anew once")
    func replicas() async throws {
        try await ServiceDatabase.with(.engine) { (database) async throws in
            try await store(Self.names, ring(old), database)
            let ring = try ring(new, old)
            async let first = resealer(ring, database).reseal()
            async let second = resealer(ring, database).reseal()
            let outcomes = try await [first, second]
            #expect(outcomes.reduce(0) { $0 + $1.resealed } == 250)
            #expect(outcomes.allSatisfy { $0.unopened == 0 })
        }
    }
}
