import Messaging
import Persistence
import PostgreSQL
import TestSupport
import Testing

@Suite("What lies in the data, and what passes", .requiresServers)
struct FailureKindTests {
    private static let columns =
        "(message_id, epoch, destination, first_seq, last_seq, tenant, routing_key, "
        + "message_type, schema_version, body)"

    private static func insertion(id: String, first: Int, last: Int, tenant: String = "'acme'") -> String {
        "INSERT INTO gateway.outbox \(columns) VALUES (\(id), 1, 'audit', \(first), \(last), \(tenant), 'k', 't', 1, '{}')"
    }

    private static let now = "gateway.uuid7_floor(now())"

    @Test(arguments: [
        (insertion(id: "gateway.uuid7_floor('1999-01-01')", first: 1, last: 1), "23514", false),
        (insertion(id: now, first: 2, last: 1), "23514", true),
        (insertion(id: now, first: 1, last: 1, tenant: "NULL"), "23502", true),
        ("SELECT 1 / 0", "22012", true),
        ("SELECT * FROM engine.automations", "42501", false),
        ("SELECT gateway.advance_lane(1, 1, 1, 1, 1, 1, 1, 1)", "BT001", false),
    ])
    func kind(statement: String, sqlState: String, liesInTheData: Bool) async throws {
        try await ServiceDatabase.with(.gateway) { database in
            let error = await #expect(throws: PostgresError.self) {
                try await database.client.execute(PostgresStatement(statement))
            }
            #expect(error?.sqlState == sqlState)
            let kind = BatchConsumer.FailureKind(of: try #require(error))
            #expect(kind == (liesInTheData ? .data : .retry))
        }
    }
}
