import FoundationEssentials
import Glibc
import UnixSignals

/// Runs a service in this process and ends the process with its status: the one call of every executable.
///
/// It ignores SIGPIPE, reads the environment, bootstraps logging and metrics, serves health, builds and runs the
/// parts, and drains on SIGTERM and SIGINT. The status is 0 after a graceful stop, 78 where the configuration is
/// wrong, else 1.
///
/// - Parameters:
///   - definition: What the service declares about itself.
///   - build: Makes the parts, in the order of dependence: telemetry, database, broker, relay, consumers, HTTP last.
///     An ``OperatorFacingError`` that it throws is logged as the one sentence that it is.
package func runService(
    _ definition: ServiceDefinition,
    build: @escaping @Sendable (ServiceContext) async throws -> [ServicePart]
) async -> Never {
    signal(SIGPIPE, SIG_IGN)
    let runner = ServiceRunner(
        definition,
        in: .init(
            environment: ProcessInfo.processInfo.environment,
            sink: DescriptorLogSink(),
            signals: [.sigterm, .sigint],
            ownsProcess: true
        )
    )
    let status = await runner.run(build: build)
    exit(status.rawValue)
}
