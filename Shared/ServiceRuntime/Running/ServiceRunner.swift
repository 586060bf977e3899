import CoreMetrics
import Logging
import ServiceLifecycle
package import UnixSignals

/// Runs a service from its environment to its exit status.
///
/// The parts that `build` returns are run in a group, in the order of dependence: telemetry, database, broker, relay,
/// consumers, HTTP last. On SIGTERM or SIGINT the service first stops being ready and then stops part by part in
/// reverse order; what has not finished within `BATUTA_DRAIN_TIMEOUT` is cancelled.
package struct ServiceRunner: Sendable {
    /// What the runner takes of the process; tests give their own.
    package struct Surroundings: Sendable {
        /// The environment variables.
        package var environment: [String: String]
        /// Where log lines and the sentences of a refused start go.
        package var sink: any LogSink
        /// The signals that ask for a stop.
        package var signals: [UnixSignal]
        /// Whether the process is the service's own: logging and metrics are bootstrapped for all of it, and it is
        /// ended where a stop hangs.
        package var ownsProcess: Bool
        /// Told the port of the health server once it is known.
        package var healthServerStarted: @Sendable (HealthServer) -> Void

        /// Makes surroundings.
        package init(
            environment: [String: String],
            sink: any LogSink,
            signals: [UnixSignal],
            ownsProcess: Bool,
            healthServerStarted: @escaping @Sendable (HealthServer) -> Void = { _ in }
        ) {
            self.environment = environment
            self.sink = sink
            self.signals = signals
            self.ownsProcess = ownsProcess
            self.healthServerStarted = healthServerStarted
        }
    }

    private let definition: ServiceDefinition
    private let surroundings: Surroundings

    /// Makes a runner.
    package init(_ definition: ServiceDefinition, in surroundings: Surroundings) {
        self.definition = definition
        self.surroundings = surroundings
    }

    /// Configures, builds and runs the service until it is stopped or fails.
    ///
    /// - Parameter build: Makes the parts, in the order of dependence.
    /// - Returns: The status to exit with; what went wrong has been logged.
    package func run(
        build: @escaping @Sendable (ServiceContext) async throws -> [ServicePart]
    ) async -> ServiceExit {
        let configuration: ServiceConfiguration
        do {
            configuration = try definition.schema.load(surroundings.environment)
        } catch {
            surroundings.sink.write(Array((refusal(of: error) + "\n").utf8))
            return .configuration
        }
        let context = makeContext(configuration)
        for warning in configuration.warnings { context.logger.warning("\(warning)") }
        context.logger.info("starting", metadata: configuration.metadata)
        for fault in context.metrics.faults { context.logger.warning("metric: \(fault)") }
        return await run(context, build: build)
    }

    private func run(
        _ context: ServiceContext,
        build: @escaping @Sendable (ServiceContext) async throws -> [ServicePart]
    ) async -> ServiceExit {
        let record = StopRecord()
        let timeout = context.configuration[CommonKeys.drainTimeout]
        let server = HealthServer(
            address: context.configuration[definition.metricsAddress],
            health: context.health,
            metrics: context.metrics
        )
        surroundings.healthServerStarted(server)
        let parts = BuiltParts(
            context: context,
            record: record,
            drainTimeout: timeout,
            drainBegan: { self.watch(timeout, context) },
            build: build
        )
        let services: [any Service] = [server, parts]
        let names = ["health", definition.identity.name]
        var group = ServiceGroupConfiguration(
            services: zip(services, names).map { service, name in
                .init(
                    service: service,
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup,
                    serviceName: name
                )
            },
            gracefulShutdownSignals: surroundings.signals,
            logger: context.logger
        )
        group.maximumGracefulShutdownDuration = timeout
        var thrown: (any Error)?
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            thrown = error
        }
        return conclude(context, record: record, thrown: thrown, timeout: timeout)
    }

    /// Says in one line how the service ended.
    private func conclude(
        _ context: ServiceContext,
        record: StopRecord,
        thrown: (any Error)?,
        timeout: Duration
    ) -> ServiceExit {
        if let failure = record.firstFailure {
            context.logger.critical(
                "\(sentence(for: failure.error, part: failure.part))",
                metadata: metadata(of: failure.error)
            )
            return .failure
        }
        let cancelled = record.cancelledParts
        guard cancelled.isEmpty else {
            context.logger.error(
                "The service did not drain within \(timeout); what still ran was cancelled.",
                metadata: ["parts": .array(cancelled.map { .string($0) })]
            )
            return .failure
        }
        if let thrown {
            context.logger.critical("\(sentence(for: thrown, part: nil))", metadata: metadata(of: thrown))
            return .failure
        }
        context.logger.info("stopped")
        return .success
    }
}

extension ServiceRunner {
    private func makeContext(_ configuration: ServiceConfiguration) -> ServiceContext {
        let identity = definition.identity
        let metrics = PrometheusRegistry()
        metrics.declare(definition.metrics)
        metrics.addCollector(ProcessMetrics.collect)
        metrics.addCollector(BuildInformation(identity).collect)
        let level = Logger.Level(rawValue: configuration[CommonKeys.logLevel]) ?? .info
        let replica = configuration[CommonKeys.replica]
        let sink = surroundings.sink
        let makeHandler: @Sendable (String) -> any LogHandler = { _ in
            JSONLogHandler(
                service: identity.name,
                replica: replica,
                level: level,
                sink: sink,
                metadataProvider: TraceContext.metadataProvider
            )
        }
        if surroundings.ownsProcess {
            LoggingSystem.bootstrap(makeHandler)
            MetricsSystem.bootstrap(metrics)
        }
        return ServiceContext(
            identity: identity,
            configuration: configuration,
            logger: Logger(label: identity.name, factory: makeHandler),
            health: HealthRegistry(),
            metrics: metrics
        )
    }

    private func watch(_ timeout: Duration, _ context: ServiceContext) {
        guard surroundings.ownsProcess else { return }
        var line = JSONLine()
        line.begin()
        line.member("level", text: Logger.Level.critical.rawValue)
        line.member("service", text: definition.identity.name)
        line.member("replica", text: context.replica)
        line.member("message", text: "The service did not stop although it was cancelled; it was ended.")
        line.end()
        line.newline()
        DrainWatchdog.start(timeout: timeout, line: line.bytes)
    }

    private func refusal(of error: ConfigurationError) -> String {
        error.faults.map { "\(definition.identity.name): \($0.sentence)" }.joined(separator: "\n")
    }

    private func sentence(for error: any Error, part: String?) -> String {
        if let error = error as? any OperatorFacingError { return error.description }
        guard let part, part != "start" else { return "\(definition.identity.name) could not start: \(error)" }
        return "\(part) failed: \(error)"
    }

    private func metadata(of error: any Error) -> Logger.Metadata {
        guard let error = error as? ServiceRuntimeError else { return [:] }
        var metadata: Logger.Metadata = ["code": .string(error.code.rawValue)]
        if let cause = error.cause { metadata["cause"] = .string(cause) }
        return metadata
    }
}
