package import ArgumentParser
import Foundation
import Persistence

/// `batuta migrate`: brings roles and schemas to what this release needs.
package struct MigrateCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database's roles and schemas to what this release needs.",
        discussion: """
            It can be run again and by several at once. Each migration is one transaction. The database's address comes \
            from --database-url, or from \(DatabaseOptions.urlName) or the file that \(DatabaseOptions.urlName)_FILE names; it \
            must be that of the database's owner, who may make roles.
            """
    )

    @OptionGroup var database: DatabaseOptions

    @Option(name: .long, help: "The folder of migrations; otherwise found above the executable or as ./Migrations.")
    var migrations: String?

    @Option(
        name: .long,
        help: """
            A JSON object from schema to the password of its role, readable to its owner only. It is made with random \
            passwords where it does not exist. Without it, passwords stay as they are.
            """
    )
    var passwordsFile: String?

    @Flag(name: .long, help: "Make and restrict the roles only, for a database that a backup is to be restored into.")
    var accessOnly = false

    @Flag(name: .long, help: "Show what would be done, and do nothing.")
    var plan = false

    package init() {}

    package mutating func validate() throws {
        guard !(plan && accessOnly) else {
            throw ValidationError("--plan shows everything; it goes without --access-only.")
        }
    }

    package mutating func run() async throws {
        try await run(print: StandardStream.output.writeLine)
    }

    /// Does the work.
    ///
    /// - Parameter print: Takes each line when what it says stands.
    /// - Throws: What ends the command, for ArgumentParser to tell.
    func run(print: (String) -> Void) async throws {
        let configuration = try database.configuration(applicationName: "batuta-migrate")
        let catalog = try MigrationCatalog(folder: MigrationsFolder.locate(migrations))
        let passwords = try rolePasswords(print)
        try await DatabaseSession.with(configuration) { client in
            let migrator = Migrator(client: client, catalog: catalog, passwords: passwords)
            if plan {
                for line in MigrationLines.lines(of: try await migrator.plan()) { print(line) }
            } else if accessOnly {
                try await migrator.restrictAccess { print(MigrationLines.line(of: $0)) }
            } else {
                try await migrator.migrate { print(MigrationLines.line(of: $0)) }
            }
        }
    }

    private func rolePasswords(_ print: (String) -> Void) throws(CommandLineError) -> [ServiceSchema: String] {
        guard let path = passwordsFile else { return [:] }
        let file = PasswordsFile(path: path)
        if plan {
            if let passwords = try file.read() { return passwords }
            print("would make random passwords in \(path)")
            return [:]
        }
        let (passwords, isNew) = try file.readOrMake()
        print(isNew ? "made random passwords in \(path)" : "passwords are in \(path)")
        return passwords
    }
}
