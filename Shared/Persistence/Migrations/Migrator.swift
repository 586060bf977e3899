package import PostgreSQL

/// Brings roles and schemas of one database to what the release needs.
///
/// Several may run at once, on the same database and on others of the same server: each migration is one transaction
/// under the schema's advisory lock and is applied once. Whatever ends it, running it again goes on where it stood.
package struct Migrator: Sendable {
    private let client: PostgresClient
    private let catalog: MigrationCatalog
    private let access: AccessKeeper

    /// - Parameters:
    ///   - client: Logged in as the owner of the database, who may make roles.
    ///   - catalog: The migrations of the release.
    ///   - passwords: The roles' passwords; a role that has none here keeps what it has.
    package init(client: PostgresClient, catalog: MigrationCatalog, passwords: [ServiceSchema: String] = [:]) {
        self.client = client
        self.catalog = catalog
        access = AccessKeeper(client: client, passwords: passwords)
    }

    /// The settings for a migrating client: one connection, and no limit to how long a migration may take.
    package static func configuration(_ base: PostgresConfiguration) -> PostgresConfiguration {
        var configuration = base
        configuration.applicationName = "batuta-migrate"
        configuration.statementTimeout = .zero
        configuration.pool.minimum = 0
        configuration.pool.maximum = 1
        return configuration
    }

    /// Says what ``migrate(report:)`` would do, and does nothing.
    package func plan() async throws(PersistenceError) -> MigrationPlan {
        let changes = try await access.pendingChanges()
        var pending: [MigrationPlan.Step] = []
        var unknown: [MigrationPlan.Step] = []
        for schema in ServiceSchema.allCases {
            let history = try await history(of: schema)
            pending += history.pending.map { MigrationPlan.Step(schema: schema, version: $0.version, name: $0.name) }
            unknown += history.unknown.map { MigrationPlan.Step(schema: schema, version: $0.version, name: $0.name) }
        }
        return MigrationPlan(accessChanges: changes, pending: pending, unknown: unknown)
    }

    /// Does what is to be done.
    ///
    /// - Parameter report: Hears of each thing when it stands.
    /// - Throws: ``PersistenceError``; what was reported before stays.
    package func migrate(report: (MigrationEvent) -> Void) async throws(PersistenceError) {
        // Before anything is changed: a database that refuses one schema is left as it is.
        for schema in ServiceSchema.allCases { _ = try await history(of: schema) }
        try await restrictAccess(report: report)
        for schema in ServiceSchema.allCases {
            if try await createSchema(schema) { report(.schemaCreated(schema)) }
            try await bringUp(schema, report)
        }
    }

    /// Brings the roles to what they must be, and leaves the schemas alone.
    ///
    /// - Parameter report: Hears of each change when it stands.
    /// - Throws: ``PersistenceError``; what was reported before stays.
    package func restrictAccess(report: (MigrationEvent) -> Void) async throws(PersistenceError) {
        try await access.apply { report(.accessChanged($0)) }
    }

    private func bringUp(_ schema: ServiceSchema, _ report: (MigrationEvent) -> Void) async throws(PersistenceError) {
        while true {
            switch try await applyNext(schema) {
            case .applied(let migration, let took):
                report(.applied(schema, version: migration.version, name: migration.name, took: took))
            case .nothingPending(let history):
                for entry in history.unknown {
                    report(.unknownVersion(schema, version: entry.version, name: entry.name))
                }
                report(.upToDate(schema, version: history.version))
                return
            }
        }
    }

    // MARK: One schema

    private enum Outcome {
        case applied(Migration, Duration)
        case nothingPending(SchemaHistory)
    }

    /// Applies the first pending migration, if any, and its record in one transaction.
    private func applyNext(_ schema: ServiceSchema) async throws(PersistenceError) -> Outcome {
        do {
            return try await client.withTransaction { transaction in
                try await Self.lock(schema, transaction)
                let rows = try await transaction.execute(Self.applied(in: schema))
                let history = try history(schema, rows)
                guard let migration = history.pending.first else { return .nothingPending(history) }
                let began = ContinuousClock.now
                try await Self.run(migration, schema, transaction)
                return .applied(migration, ContinuousClock.now - began)
            }
        } catch {
            throw .during("migrating the schema \(schema.name)", error)
        }
    }

    private static func run(
        _ migration: Migration,
        _ schema: ServiceSchema,
        _ transaction: PostgresTransaction
    ) async throws(PersistenceError) {
        let script = try migration.script(for: schema)
        do {
            try await transaction.pipeline(script.statements.map { PostgresStatement.simple($0.text) })
        } catch  where error.sqlState != nil {
            let line = error.statementIndex.flatMap { index in
                script.statements.indices.contains(index) ? ", line \(script.statements[index].line)" : nil
            }
            throw PersistenceError(
                error.isRetryable ? .database : .migrationFailed,
                "the migration \(migration.path)\(line ?? "") failed on the schema \(schema.name), and nothing of it "
                    + "was kept: \(error.message) (SQLSTATE \(error.sqlState ?? "unknown"))",
                cause: error
            )
        } catch {
            throw .during("the migration \(migration.path)", error)
        }
        do {
            try await transaction.commit([record(migration, schema)])
        } catch {
            throw .during("recording the migration \(migration.path)", error)
        }
    }

    /// Makes the schema and the table of its migrations, unless they are there.
    private func createSchema(_ schema: ServiceSchema) async throws(PersistenceError) -> Bool {
        do {
            return try await client.withTransaction { transaction in
                try await Self.lock(schema, transaction)
                guard try await !Self.exists(schema, transaction.execute(Self.tableExists(schema))) else {
                    return false
                }
                let name = SQLText.identifier(schema.name)
                try await transaction.commit([
                    .simple("CREATE SCHEMA IF NOT EXISTS \(name)"),
                    .simple(
                        """
                        CREATE TABLE \(name).schema_migrations (
                            version integer PRIMARY KEY CHECK (version > 0),
                            name text NOT NULL,
                            checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
                            applied_at timestamptz NOT NULL DEFAULT now(),
                            -- Releases that need an older version of the schema than this must not use it.
                            incompatible_below integer CHECK (incompatible_below BETWEEN 1 AND version)
                        )
                        """
                    ),
                    .simple("GRANT USAGE ON SCHEMA \(name) TO \(SQLText.identifier(schema.role))"),
                    .simple("GRANT SELECT ON \(name).schema_migrations TO \(SQLText.identifier(schema.role))"),
                ])
                return true
            }
        } catch {
            throw .during("making the schema \(schema.name)", error)
        }
    }

    // MARK: History

    private func history(of schema: ServiceSchema) async throws(PersistenceError) -> SchemaHistory {
        do {
            guard try await Self.exists(schema, client.execute(Self.tableExists(schema))) else {
                return try SchemaHistory(known: catalog.migrations(of: schema), applied: [], schema: schema)
            }
            return try history(schema, await client.execute(Self.applied(in: schema)))
        } catch {
            throw .during("reading the migrations of the schema \(schema.name)", error)
        }
    }

    private func history(_ schema: ServiceSchema, _ rows: PostgresRows) throws -> SchemaHistory {
        let applied = try rows.map { row in
            AppliedMigration(
                version: try row.decode(0),
                name: try row.decode(1),
                checksum: try row.decode(2)
            )
        }
        return try SchemaHistory(known: catalog.migrations(of: schema), applied: applied, schema: schema)
    }

    private static func exists(_ schema: ServiceSchema, _ rows: PostgresRows) throws(PostgresError) -> Bool {
        guard let row = rows.first else { return false }
        return try row.decode(0)
    }

    // MARK: SQL

    /// Waits for whoever migrates the same schema, however long that takes, and then again no longer than usual.
    private static func lock(_ schema: ServiceSchema, _ transaction: PostgresTransaction) async throws(PostgresError) {
        try await transaction.pipeline([
            PostgresStatement(
                """
                SELECT set_config('batuta.lock_timeout', current_setting('lock_timeout'), true),
                       set_config('lock_timeout', '0', true)
                """
            ),
            PostgresStatement(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                [.text("batuta.migrate.\(schema.name)")]
            ),
            PostgresStatement("SELECT set_config('lock_timeout', current_setting('batuta.lock_timeout'), true)"),
        ])
    }

    private static func tableExists(_ schema: ServiceSchema) -> PostgresStatement {
        // Not `to_regclass`, which would answer from what the session had seen before it waited for the lock.
        PostgresStatement(
            """
            SELECT EXISTS (
                SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = 'schema_migrations'
            )
            """,
            [.text(schema.name)],
            isReadOnly: true
        )
    }

    private static func applied(in schema: ServiceSchema) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT version, name, checksum
            FROM \(SQLText.identifier(schema.name)).schema_migrations ORDER BY version
            """,
            isReadOnly: true
        )
    }

    private static func record(_ migration: Migration, _ schema: ServiceSchema) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO \(SQLText.identifier(schema.name)).schema_migrations
                (version, name, checksum, incompatible_below)
            VALUES ($1, $2, $3, $4)
            """,
            [
                .int4(Int32(clamping: migration.version)),
                .text(migration.name),
                .bytes(migration.checksum),
                .int4(migration.incompatibleBelow.map { Int32(clamping: $0) }),
            ]
        )
    }
}
