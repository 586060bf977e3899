package import PostgreSQL

/// Lets a service start only on a schema that its release can work with.
package enum SchemaGate {
    /// Checks the schema.
    ///
    /// - Parameters:
    ///   - client: Logged in as the service.
    ///   - schema: The service's own.
    /// - Throws: ``PersistenceError`` with code `schemaMissing`, `schemaTooOld` or `schemaIncompatible`, whose message
    ///   says what to do, or `database` when the database did not answer.
    package static func check(client: PostgresClient, schema: ServiceSchema) async throws(PersistenceError) {
        let (version, incompatibleBelow) = try await read(client, schema)
        try check(schema: schema, version: version, incompatibleBelow: incompatibleBelow)
    }

    /// Decides on what the database says.
    static func check(schema: ServiceSchema, version: Int, incompatibleBelow: Int?) throws(PersistenceError) {
        guard version > 0 else { throw missing(schema, nil) }
        let required = schema.requiredVersion
        guard version >= required else {
            throw PersistenceError(
                .schemaTooOld,
                "the schema \(schema.name) is at version \(version) and this release needs \(required); "
                    + "run `batuta migrate` of this release"
            )
        }
        if let incompatibleBelow, required < incompatibleBelow {
            throw PersistenceError(
                .schemaIncompatible,
                "the schema \(schema.name) is at version \(version), which releases that were made for a version below "
                    + "\(incompatibleBelow) must not use, and this one was made for \(required); start a newer release"
            )
        }
    }

    private static func read(
        _ client: PostgresClient,
        _ schema: ServiceSchema
    ) async throws(PersistenceError) -> (version: Int, incompatibleBelow: Int?) {
        let statement = PostgresStatement(
            """
            SELECT coalesce(max(version), 0), max(incompatible_below)
            FROM \(SQLText.identifier(schema.name)).schema_migrations
            """,
            isReadOnly: true
        )
        do {
            guard let row = try await client.execute(statement).first else { return (0, nil) }
            return (try row.decode(0), try row.decode(1))
        } catch  where ["42P01", "3F000", "42501"].contains(error.sqlState) {
            throw missing(schema, error)
        } catch {
            throw .during("reading the version of the schema \(schema.name)", error)
        }
    }

    private static func missing(_ schema: ServiceSchema, _ cause: PostgresError?) -> PersistenceError {
        PersistenceError(
            .schemaMissing,
            "the schema \(schema.name) does not exist in this database, or its service's role \(schema.role) may not "
                + "use it; run `batuta migrate`",
            cause: cause
        )
    }
}
