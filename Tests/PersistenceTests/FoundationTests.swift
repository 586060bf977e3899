import Persistence
import Testing

/// What every schema has, used by its own role.
@Suite(.enabled(if: TestDatabase.isAvailable, "\(TestDatabase.skipped)"))
struct FoundationTests {
    private static func number(_ sql: String, _ client: PostgresClient) async throws -> Int? {
        try await client.execute(PostgresStatement(sql)).first?.decode(0, as: Int.self)
    }

    private static func openLane(_ schema: ServiceSchema, _ client: PostgresClient) async throws -> Int {
        let sql = "INSERT INTO \(schema.name).lanes (producer) VALUES ('\(schema.name)/replica/a0') RETURNING epoch"
        return try #require(try await number(sql, client))
    }

    @Test func laneMovesOnAndRefusesTheLate() async throws {
        try await TestDatabase.migrated { (database) async throws in
            for schema in ServiceSchema.allCases { try await Self.checkLane(schema, database) }
        }
    }

    private static func checkLane(_ schema: ServiceSchema, _ database: TestDatabase) async throws {
        try await database.as(schema) { (client) async throws in
            let lane = try await Self.openLane(schema, client)
            func advance(_ commits: Int, _ signals: Int, confirmed: Int = 0) async -> String? {
                await refusal(
                    "SELECT \(schema.name).advance_lane(\(lane), \(commits), \(signals), 0, 0, \(confirmed), 0, 0)",
                    by: client
                )
            }
            #expect(await advance(0, 5) == nil)
            #expect(await advance(0, 5) == "BT001")
            #expect(await advance(2, 5) == "BT001")
            #expect(await advance(1, 9, confirmed: 5) == nil)
            // A confirmation that comes late moves nothing back; one of what was never sent is refused.
            #expect(await advance(2, 9, confirmed: 3) == nil)
            #expect(await advance(3, 9, confirmed: 10) == "23514")
            let confirmed = try await Self.number(
                "SELECT signals_confirmed FROM \(schema.name).lanes WHERE epoch = \(lane)",
                client
            )
            #expect(confirmed == 5)
            #expect(
                await refusal("UPDATE \(schema.name).lanes SET closed_at = now() WHERE epoch = \(lane)", by: client)
                    == nil
            )
            #expect(await advance(3, 9) == "BT001")
        }
    }

    @Test func roleCanDoWhatItNeeds() async throws {
        try await TestDatabase.migrated { (database) async throws in
            for schema in ServiceSchema.allCases { try await Self.checkNeeds(schema, database) }
        }
    }

    private static func checkNeeds(_ schema: ServiceSchema, _ database: TestDatabase) async throws {
        let name = schema.name
        try await database.as(schema) { (client) async throws in
            for sql in [
                """
                INSERT INTO \(name).outbox (message_id, epoch, destination, first_seq, last_seq, tenant, routing_key,
                                            message_type, schema_version, body)
                VALUES (\(name).uuid7_floor(now()), 1, 'audit', 1, 2, 't', 'k', 'm', 1, '')
                """,
                "SELECT FROM \(name).outbox",
                "INSERT INTO \(name).instances VALUES (gen_random_uuid(), 'r', now(), now())",
                "UPDATE \(name).instances SET lease_until = now()", "DELETE FROM \(name).instances",
                """
                INSERT INTO \(name).requests
                VALUES ('t', 'p', 'r', 'k', decode(repeat('00', 32), 'hex'), 200, '{}')
                """,
                "DELETE FROM \(name).requests",
                """
                INSERT INTO \(name).dead_letters (dead_letter_id, exchange, routing_key, headers, body, reason)
                VALUES (gen_random_uuid(), 'e', 'k', '{}', '', 'r')
                """,
                "UPDATE \(name).dead_letters SET state = 'redriven', redriven_at = now()",
                "SELECT FROM \(name).schema_migrations",
            ] {
                #expect(await refusal(sql, by: client) == nil, "\(sql)")
            }
        }
    }

    @Test func partitionsReachThirtyDaysAhead() async throws {
        try await TestDatabase.migrated { (database) async throws in
            for schema in ServiceSchema.allCases {
                try await database.as(schema) { (client) async throws in
                    #expect(try await PartitionKeeper.daysAhead(client, schema) >= 30)
                    // Farther, from a time zone whose summer begins in between, and again from another.
                    #expect(await refusal("SET timezone = 'Europe/Berlin'", by: client) == nil)
                    #expect(try await Self.number("SELECT \(schema.name).ensure_partitions(200)", client) == 200)
                    #expect(await refusal("SET timezone = 'Pacific/Auckland'", by: client) == nil)
                    #expect(try await Self.number("SELECT \(schema.name).ensure_partitions(366)", client) == 366)
                    #expect(try await PartitionKeeper.daysAhead(client, schema) >= 366)
                    for days in ["0", "367", "NULL"] {
                        let state = await refusal("SELECT \(schema.name).ensure_partitions(\(days))", by: client)
                        #expect(state == "22023", "\(days)")
                    }
                }
                let unaligned = try await Self.number(
                    """
                    SELECT count(*) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
                    WHERE c.relnamespace = '\(schema.name)'::regnamespace AND c.relkind = 'r'
                      AND date_part('dow', substring(c.relname FROM '_([0-9]{8})$')::date) <> 1
                    """,
                    database.admin
                )
                #expect(unaligned == 0)
            }
        }
    }

    @Test func partitionsAreMadeBesideOpenTransactions() async throws {
        try await TestDatabase.migrated { (database) async throws in
            try await database.as(.engine) { (client) async throws in
                try await client.withTransaction { transaction in
                    try await transaction.execute(
                        .simple("INSERT INTO engine.inbox VALUES (engine.uuid7_floor(now()), 't', 1, 's')")
                    )
                    try await database.as(.engine) { (other) async throws in
                        #expect(await refusal("SET lock_timeout = 2000", by: other) == nil)
                        #expect(try await Self.number("SELECT engine.ensure_partitions(90)", other) == 90)
                    }
                }
                #expect(try await Self.number("SELECT count(*) FROM engine.inbox", client) == 1)
            }
        }
    }

    @Test func retiresOldPartitionsOnly() async throws {
        try await TestDatabase.migrated { (database) async throws in
            let old = try await database.admin.execute(
                PostgresStatement(
                    """
                    SELECT to_char(w, 'YYYYMMDD'), w::date::text, jobs.uuid7_floor(w)::text,
                           jobs.uuid7_floor(w + interval '7 days')::text,
                           date_trunc('week', now())::date::text
                    FROM (SELECT date_trunc('week', now() - interval '70 days')) AS o(w)
                    """
                )
            ).first
            let row = try #require(old)
            let (name, week) = (try row.decode(0, as: String.self), try row.decode(1, as: String.self))
            let thisWeek = try row.decode(4, as: String.self)
            try await database.admin.execute(
                .simple(
                    """
                    CREATE TABLE jobs.outbox_\(name) PARTITION OF jobs.outbox
                    FOR VALUES FROM ('\(try row.decode(2, as: String.self))') TO ('\(try row.decode(3, as: String.self))')
                    """
                )
            )
            try await database.as(.jobs) { (client) async throws in
                func retire(_ parent: String, _ week: String, _ days: String) async throws -> String? {
                    let sql = "SELECT jobs.retire_partition('\(parent)', '\(week)', \(days))"
                    return try await client.execute(PostgresStatement(sql)).first?.decode(0)
                }
                for days in ["29", "0", "-1", "NULL"] {
                    let state = await refusal("SELECT jobs.retire_partition('outbox', '\(week)', \(days))", by: client)
                    #expect(state == "22023", "\(days)")
                }
                #expect(try await retire("outbox", thisWeek, "30") == "young")
                #expect(try await retire("outbox", week, "70") == "young")
                #expect(try await retire("lanes", week, "30") == "absent")
                #expect(try await retire("nothing", week, "30") == "absent")
                #expect(try await retire("outbox", week, "30") == "dropped")
                #expect(try await retire("outbox", week, "30") == "absent")
                #expect(await refusal("SELECT FROM jobs.outbox", by: client) == nil)
            }
        }
    }
}
