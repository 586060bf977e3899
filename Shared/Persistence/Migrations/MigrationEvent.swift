/// What migrating did or found, one line each.
package enum MigrationEvent: Hashable, Sendable {
    /// A role or a privilege was put right.
    case accessChanged(AccessChange)
    /// A schema was made.
    case schemaCreated(ServiceSchema)
    /// A migration was applied.
    case applied(ServiceSchema, version: Int, name: String, took: Duration)
    /// The database has a migration that only a newer release knows.
    case unknownVersion(ServiceSchema, version: Int, name: String)
    /// The schema is at this version; the last event of each schema.
    case upToDate(ServiceSchema, version: Int)
}

/// What migrating would do.
package struct MigrationPlan: Hashable, Sendable {
    /// A migration and whose it is.
    package struct Step: Hashable, Sendable {
        package let schema: ServiceSchema
        package let version: Int
        package let name: String
    }

    /// Roles and privileges to be put right.
    package let accessChanges: [AccessChange]
    /// Migrations to be applied, in order.
    package let pending: [Step]
    /// Migrations that only a newer release knows.
    package let unknown: [Step]
}
