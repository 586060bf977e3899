package import ArgumentParser

/// `batuta audit`: the log that can be verified without trusting whoever keeps it.
package struct AuditCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Export and verify the audit log, co-sign it, seal its past, and keep its keys.",
        subcommands: [
            AuditExportCommand.self, AuditKeyCommand.self, AuditSealCommand.self, AuditVerifyCommand.self,
            AuditWitnessCommand.self,
        ]
    )

    package init() {}
}
