import ArgumentParser
import AuditWriterCore
import FaultInjection
import FoundationEssentials
import ServiceRuntime

/// The process that appends to the audit log.
@main
struct AuditWriterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit-writer",
        abstract: "Appends every audit entry to the log, in order, once.",
        discussion: AuditWriter.definition.helpText,
        version: ServiceIdentity.systemVersion
    )

    func run() async throws {
        try CrashPoints.arm(from: ProcessInfo.processInfo.environment)
        await runService(AuditWriter.definition) { context in
            try await AuditWriter.parts(context)
        }
    }
}
