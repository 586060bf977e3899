import ArgumentParser
import AutomationEngineCore
import FaultInjection
import Foundation
import ServiceRuntime

/// The process that owns automations, matches signals, and executes runs.
@main
struct AutomationEngine: AsyncParsableCommand {
    private static let definition = ServiceDefinition(
        .automationEngine,
        keys: EngineKeys.all,
        metrics: EngineKeys.metrics
    )

    static let configuration = CommandConfiguration(
        commandName: "automation-engine",
        abstract: "Owns automations, matches signals, and executes runs.",
        discussion: definition.helpText,
        version: ServiceIdentity.systemVersion
    )

    func run() async throws {
        try CrashPoints.arm(from: ProcessInfo.processInfo.environment)
        await runService(Self.definition) { context in
            try await Engine.parts(context)
        }
    }
}
