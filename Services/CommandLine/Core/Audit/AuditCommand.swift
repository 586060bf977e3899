package import ArgumentParser

/// `batuta audit`: the log that can be verified without trusting whoever keeps it.
package struct AuditCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Export and verify the audit log, and keep its keys.",
        subcommands: [AuditExportCommand.self, AuditKeyCommand.self, AuditSealCommand.self, AuditWitnessCommand.self]
    )

    package init() {}
}
