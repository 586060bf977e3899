import APIGatewayCore
import ArgumentParser
import FaultInjection
import Foundation
import ServiceRuntime

/// The process that takes signals and answers clients.
@main
struct APIGateway: AsyncParsableCommand {
    static let definition = ServiceDefinition(.apiGateway, keys: GatewayKeys.all, metrics: GatewayKeys.metrics)

    static let configuration = CommandConfiguration(
        commandName: "api-gateway",
        abstract: "Takes signals, and answers clients over HTTP.",
        discussion: definition.helpText,
        version: ServiceIdentity.systemVersion,
        subcommands: [Serve.self, BootstrapCommand.self],
        defaultSubcommand: Serve.self
    )
}

/// Serves until it is told to stop.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the HTTP API (the default).")

    func run() async throws {
        try CrashPoints.arm(from: ProcessInfo.processInfo.environment)
        await runService(APIGateway.definition) { context in
            try await Gateway.parts(context)
        }
    }
}

/// Makes the first tenant and its first admin token.
struct BootstrapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootstrap",
        abstract: "Make the first tenant and an admin token, which is shown once."
    )

    @Option(help: "The tenant's key.") var tenant = "default"
    @Option(help: "The tenant's name.") var name: String?
    @Option(help: "The token's name.") var tokenName = "admin"
    @Option(help: "A new file for the token, readable by its owner only, instead of the standard output.")
    var output: String?
    @Flag(help: "Succeed and change nothing where a tenant exists.") var ifNeeded = false

    func run() async throws {
        try await BootstrapTool(tenant: tenant, name: name, tokenName: tokenName, output: output, ifNeeded: ifNeeded)
            .run(environment: ProcessInfo.processInfo.environment)
    }
}
