import ArgumentParser
import FaultInjection
import FoundationEssentials
import ServiceRuntime
import WorkerAgentCore

/// The process that stands where jobs are to run.
@main
struct WorkerAgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker-agent",
        abstract: "Is ready and drains; it connects to nothing and runs no jobs yet.",
        discussion: WorkerAgent.definition.helpText,
        version: ServiceIdentity.systemVersion
    )

    func run() async throws {
        try CrashPoints.arm(from: ProcessInfo.processInfo.environment)
        await runService(WorkerAgent.definition) { context in
            try await WorkerAgent.parts(context)
        }
    }
}
