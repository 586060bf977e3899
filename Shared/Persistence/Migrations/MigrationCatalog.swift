package import FoundationEssentials

/// All migrations of a release, by schema, each schema's numbered from 1 without a gap.
package struct MigrationCatalog: Sendable {
    /// The folder of what every schema has.
    package static let commonFolder = "every-schema"

    private let migrations: [ServiceSchema: [Migration]]

    /// Reads a folder of migrations.
    ///
    /// - Parameter folder: It holds a folder for each schema, and one for what is common to all.
    /// - Throws: ``PersistenceError/Code/migrationFiles``, with the file that is missing, doubled or misnamed.
    package init(folder: URL) throws(PersistenceError) {
        var folders: [String: [Migration]] = [:]
        for name in try Self.contents(of: folder) {
            guard name == Self.commonFolder || ServiceSchema(rawValue: name) != nil else {
                throw PersistenceError(.migrationFiles, "the folder of migrations holds \(name), which is no schema")
            }
            folders[name] = try Self.read(folder.appendingPathComponent(name), name)
        }
        try self.init(folders: folders)
    }

    /// Puts the common migrations and each schema's own together.
    ///
    /// - Parameter folders: The migrations of each folder, by its name.
    /// - Throws: ``PersistenceError/Code/migrationFiles`` for a number that is missing or doubled.
    package init(folders: [String: [Migration]]) throws(PersistenceError) {
        let common = folders[Self.commonFolder, default: []]
        var all: [ServiceSchema: [Migration]] = [:]
        for schema in ServiceSchema.allCases {
            let union = (common + folders[schema.name, default: []]).sorted {
                ($0.version, $0.path) < ($1.version, $1.path)
            }
            for (index, migration) in union.enumerated() where migration.version != index + 1 {
                throw Self.misnumbered(schema, union, index)
            }
            for migration in union { _ = try migration.script(for: schema) }
            all[schema] = union
        }
        migrations = all
    }

    /// The migrations of one schema; the one at index `i` has version `i + 1`.
    package func migrations(of schema: ServiceSchema) -> [Migration] {
        migrations[schema, default: []]
    }

    private static func misnumbered(_ schema: ServiceSchema, _ union: [Migration], _ index: Int) -> PersistenceError {
        let migration = union[index]
        guard migration.version <= index else {
            return PersistenceError(
                .migrationFiles,
                "the schema \(schema.name) has no migration \(index + 1), but \(migration.path) behind it"
            )
        }
        return PersistenceError(
            .migrationFiles,
            "the schema \(schema.name) has two migrations \(migration.version): "
                + "\(union[index - 1].path) and \(migration.path)"
        )
    }

    private static func read(_ folder: URL, _ name: String) throws(PersistenceError) -> [Migration] {
        var migrations: [Migration] = []
        for file in try contents(of: folder) {
            let content: Data
            do {
                content = try Data(contentsOf: folder.appendingPathComponent(file))
            } catch {
                throw PersistenceError(.migrationFiles, "the migration \(name)/\(file) cannot be read: \(error)")
            }
            migrations.append(try Migration(path: "\(name)/\(file)", content: content))
        }
        return migrations
    }

    private static func contents(of folder: URL) throws(PersistenceError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }
                .sorted()
        } catch {
            throw PersistenceError(.migrationFiles, "the folder of migrations \(folder.path) cannot be read: \(error)")
        }
    }
}
