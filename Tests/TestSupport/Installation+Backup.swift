package import Foundation
private import Persistence

extension Installation {
    /// Runs `batuta` as the operator of this installation.
    ///
    /// - Parameters:
    ///   - command: the command's words.
    ///   - options: which of the operator's addresses it is told.
    /// - Returns: how it ended and what it printed.
    /// - Throws: `TestSupportError` when it does not come to an end.
    package func batuta(_ command: [String], _ options: OperatorOptions...) async throws -> Command.Result {
        let address = try ServerAddress(servers.postgres)
        var arguments = command
        for option in options {
            switch option {
            case .database:
                arguments += ["--database-url", databaseURL(address)]
            case .broker:
                arguments += ["--management-url", servers.rabbitMQManagement, "--virtual-host", database]
            }
        }
        let process = try ServiceProcess("batuta", arguments: arguments, environment: [:])
        let status = try await process.waitForExit(within: .seconds(120))
        return Command.Result(status: status, output: process.log)
    }

    /// What a command is told.
    package enum OperatorOptions: Sendable {
        /// The database, as its owner.
        case database
        /// The broker's management interface and the virtual host.
        case broker
    }

    /// Writes a backup of the database with `pg_dump`, as `docs/operations.md` says.
    package func backUp(to file: URL) async throws {
        let url = databaseURL(try ServerAddress(servers.postgres))
        try await Command.check("/usr/bin/pg_dump", ["--format=custom", "--file", file.path, "--dbname", url])
    }

    /// Restores a backup into an empty database of the same name, as `docs/operations.md` says.
    package func restore(from file: URL) async throws {
        let address = try ServerAddress(servers.postgres)
        try await withSuperuser(of: "postgres") { owner in
            try await owner.execute(.simple("DROP DATABASE \(database) WITH (FORCE)"))
            try await owner.execute(.simple("CREATE DATABASE \(database)"))
        }
        try await migrate("--access-only")
        try await Command.check(
            "/usr/bin/pg_restore",
            ["--exit-on-error", "--dbname", databaseURL(address), file.path]
        )
        try await migrate()
        // The connections of before are gone with the database.
        try await eventually("the restored database answers", within: .seconds(30)) {
            (try? await sql.execute(PostgresStatement("SELECT 1"))) != nil
        } until: {
            $0
        }
    }

    private func migrate(_ more: String...) async throws {
        let migrations = BuildFolder.repository.appendingPathComponent("Migrations").path
        try await TestPasswords.withFile(TestPasswords.database) { file in
            let result = try await batuta(
                ["migrate", "--migrations", migrations, "--passwords-file", file] + more,
                .database
            )
            guard result.status == 0 else { throw TestSupportError(.commandFailed, result.output) }
        }
    }

    private func databaseURL(_ address: ServerAddress) -> String {
        "postgres://\(address.user):\(address.password)@\(address.authority)/\(database)"
    }
}
