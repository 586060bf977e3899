import ArgumentParser
import FaultInjection
import FoundationEssentials
import SchedulerCore
import ServiceRuntime

/// The process that owns the schema of schedules.
@main
struct SchedulerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduler",
        abstract: "Checks its schema, keeps its partitions ahead, is ready, and drains; it starts no runs yet.",
        discussion: Scheduler.definition.helpText,
        version: ServiceIdentity.systemVersion
    )

    func run() async throws {
        try CrashPoints.arm(from: ProcessInfo.processInfo.environment)
        await runService(Scheduler.definition) { context in
            try await Scheduler.parts(context)
        }
    }
}
