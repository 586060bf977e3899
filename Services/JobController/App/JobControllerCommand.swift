import ArgumentParser
import FaultInjection
import FoundationEssentials
import JobControllerCore
import ServiceRuntime

/// The process that owns the schema of jobs.
@main
struct JobControllerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job-controller",
        abstract: "Checks its schema, keeps its partitions ahead, is ready, and drains; it takes no jobs yet.",
        discussion: JobController.definition.helpText,
        version: ServiceIdentity.systemVersion
    )

    func run() async throws {
        try CrashPoints.arm(from: ProcessInfo.processInfo.environment)
        await runService(JobController.definition) { context in
            try await JobController.parts(context)
        }
    }
}
