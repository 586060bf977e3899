/// A migration that the database says it has.
package struct AppliedMigration: Hashable, Sendable {
    package let version: Int
    package let name: String
    package let checksum: [UInt8]

    package init(version: Int, name: String, checksum: [UInt8]) {
        self.version = version
        self.name = name
        self.checksum = checksum
    }
}

/// What a schema has against what the release knows.
package struct SchemaHistory: Hashable, Sendable {
    /// What is to be applied, in order.
    package let pending: [Migration]
    /// What the database has and a newer release has brought.
    package let unknown: [AppliedMigration]
    /// The version that the schema is at; 0 for an empty one.
    package let version: Int

    /// Compares.
    ///
    /// - Parameters:
    ///   - known: The migrations of the release, numbered from 1.
    ///   - applied: The migrations of the database.
    ///   - schema: Whose they are, for the errors.
    /// - Throws: ``PersistenceError/Code/changedMigration`` or ``PersistenceError/Code/historyGap``.
    package init(
        known: [Migration],
        applied: [AppliedMigration],
        schema: ServiceSchema
    ) throws(PersistenceError) {
        let applied = applied.sorted { $0.version < $1.version }
        for (index, entry) in applied.enumerated() {
            guard entry.version == index + 1 else {
                throw PersistenceError(
                    .historyGap,
                    "the schema \(schema.name) has migration \(entry.version) (\(entry.name)) without migration "
                        + "\(index + 1); restore the table \(schema.name).schema_migrations"
                )
            }
            guard index < known.count else { continue }
            let migration = known[index]
            guard entry.checksum == migration.checksum || entry.checksum == migration.replaced else {
                throw PersistenceError(
                    .changedMigration,
                    "the migration \(migration.path) was applied to the schema \(schema.name) and has been changed "
                        + "since; restore the file and put the change into a new migration"
                )
            }
        }
        pending = Array(known.dropFirst(applied.count))
        unknown = Array(applied.dropFirst(known.count))
        version = applied.count
    }
}
