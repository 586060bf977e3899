package import ArgumentParser

/// `batuta`: one subcommand per file.
package struct BatutaCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "batuta",
        abstract: "Operate Batuta, the automation control plane.",
        subcommands: [
            ApplyCommand.self, AuditCommand.self, BenchCommand.self, BrokerCommand.self, CheckCommand.self,
            DeadLettersCommand.self, MigrateCommand.self, ReplayCommand.self, RestoredCommand.self, SecretsCommand.self,
            SendCommand.self,
        ]
    )

    package init() {}
}
