import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import Messaging
import Persistence
import ServiceBase
package import ServiceRuntime

/// Builds the engine out of its parts, in the order in which they depend on each other.
package enum Engine {
    /// The parts of the engine.
    ///
    /// - Throws: What stops the start, with a sentence that says what to do.
    package static func parts(_ context: ServiceContext) async throws -> [ServicePart] {
        let configuration = context.configuration
        let lanes = configuration[EngineKeys.lanes]
        let base = try await ServiceBase.connect(
            context,
            schema: .engine,
            laneCount: lanes,
            deleting: [.awaitedSignals],
            loadSignals: { try await RunRepository(database: $0).emissions($1) }
        )
        let execution = try RunExecution(base, configuration, logger: context.logger)
        let letters = base.deadLetters()
        let intake = SignalIntake(
            processor: execution.processor,
            deadLetters: letters.repository,
            metrics: EngineMetrics()
        )
        let signals = base.consumer(Topology.engineSignals, prefetch: 1_000)
        let answering = ActionAnswerIntake(
            lanes: base.lanes,
            driver: execution.driver,
            deadLetters: letters.repository,
            now: execution.processor.now,
            logger: context.logger
        )
        let answers = base.consumer(Topology.engineActions, prefetch: 400, connection: "/actions")
        let resealing = execution.keys.map { ring in
            ServicePart(
                "sealed secrets",
                SecretResealer(columns: [.secrets], ring: ring, database: base.database, logger: context.logger)
            )
        }
        var routes = routes(base: base, execution: execution)
        base.desk(
            of: letters,
            process: { try await Redriving(signals: intake, answers: answering).process($0) },
            classify: SignalIntake.classify
        )
        .register(in: &routes)
        // Parts stop in reverse: the source ends before the part that works on what it gave out.
        return base.parts + (resealing.map { [$0] } ?? []) + execution.parts + [
            ServicePart(
                "engine",
                BatchConsumer(
                    label: "engine.signals",
                    source: signals,
                    settings: BatchConsumer.Settings(
                        maximum: configuration[EngineKeys.batch],
                        // One lane is left for what administrators change and for runs under way.
                        workers: max(1, lanes - 1)
                    ),
                    process: intake.process,
                    classify: SignalIntake.classify,
                    bury: letters.counting(intake.bury),
                    logger: context.logger
                )
            ),
            ServicePart(
                "answers of actions",
                BatchConsumer(
                    label: "engine.actions",
                    source: answers,
                    settings: BatchConsumer.Settings(maximum: 200),
                    process: answering.process,
                    classify: SignalIntake.classify,
                    bury: letters.counting(answering.bury),
                    logger: context.logger
                )
            ),
            ServicePart("signals", signals),
            ServicePart("action queue", answers),
            ServicePart("dead letters", letters.gauge),
            ServicePart("requests", base.requestServer(routes)),
        ]
    }

    private static func routes(base: ServiceBase, execution: RunExecution) -> RequestRoutes {
        let registry = execution.registry
        let automations = AutomationService(database: base.database, lanes: base.lanes, registry: registry)
        let actions = ActionService(database: base.database, lanes: base.lanes)
        let manual = ManualExecution(
            database: base.database,
            processor: execution.processor,
            lanes: base.lanes
        )
        let runs = RunReader(database: base.database)
        let signals = SignalDecisions(database: base.database, registry: registry)
        let secrets = SecretService(database: base.database, lanes: base.lanes, keys: execution.keys)
        let control = RunControl(
            lanes: base.lanes,
            driver: execution.driver,
            freed: execution.freed,
            now: execution.processor.now
        )
        let approvals = Approvals(database: base.database, lanes: base.lanes, driver: execution.driver)
        let decisions = RunDecisions(lanes: base.lanes, driver: execution.driver)
        var routes = RequestRoutes()
        routes.on(RequestType.engineAutomationsCreate) { try await automations.create($1, context: $0) }
        routes.on(RequestType.engineAutomationsList) { try await automations.list($1, context: $0) }
        routes.on(RequestType.engineAutomationsGet) { try await automations.get($1, context: $0) }
        routes.on(RequestType.engineAutomationsUpdate) { try await automations.update($1, context: $0) }
        routes.on(RequestType.engineAutomationsDelete) { try await automations.delete($1, context: $0) }
        routes.on(RequestType.engineAutomationsValidate) { try await automations.validate($1, context: $0) }
        routes.on(RequestType.engineAutomationsVersions) { try await automations.versions($1, context: $0) }
        routes.on(RequestType.engineAutomationsVersion) { try await automations.version($1, context: $0) }
        routes.on(RequestType.engineAutomationsDiff) { try await automations.diff($1, context: $0) }
        routes.on(RequestType.engineAutomationsRestore) { try await automations.restore($1, context: $0) }
        routes.on(RequestType.engineAutomationsExecute) { try await manual.execute($1, context: $0) }
        routes.on(RequestType.engineAutomationsActivate) { try await automations.activate($1, context: $0) }
        routes.on(RequestType.engineAutomationsDeactivate) { try await automations.deactivate($1, context: $0) }
        routes.on(RequestType.engineAutomationsPause) { try await automations.pause($1, context: $0) }
        routes.on(RequestType.engineAutomationsResume) { try await automations.resume($1, context: $0) }
        routes.on(RequestType.engineAutomationsWhy) { try await signals.why($1, context: $0) }
        routes.on(RequestType.engineAutomationsSchema) { context, _ in
            let registry = try await ActionRepository(database: base.database)
                .registry(registry, tenant: context.tenant, deadline: context.deadline)
            return Reply(status: 200, body: try DefinitionSchema.automation(registry).canonicalBytes())
        }
        routes.on(RequestType.engineActionsList) { try await actions.list($1, context: $0) }
        routes.on(RequestType.engineActionsGet) { try await actions.get($1, context: $0) }
        routes.on(RequestType.engineActionsPut) { try await actions.put($1, context: $0) }
        routes.on(RequestType.engineActionsDelete) { try await actions.delete($1, context: $0) }
        routes.on(RequestType.engineRunsList) { try await runs.list($1, context: $0) }
        routes.on(RequestType.engineRunsGet) { try await runs.get($1, context: $0) }
        routes.on(RequestType.engineRunsStepOutput) { try await runs.stepOutput($1, context: $0) }
        routes.on(RequestType.engineRunsCancel) { try await control.cancel($1, context: $0) }
        routes.on(RequestType.engineRunsResume) { try await control.resume($1, context: $0) }
        routes.on(RequestType.engineRunsRerun) { try await manual.rerun($1, context: $0) }
        routes.on(RequestType.engineApprovalsList) { try await approvals.list($1, context: $0) }
        routes.on(RequestType.engineRunsDecide) { try await approvals.decide($1, context: $0) }
        routes.on(RequestType.engineRunsResolve) { try await decisions.resolve($1, context: $0) }
        routes.on(RequestType.engineSecretsPut) { try await secrets.put($1, context: $0) }
        routes.on(RequestType.engineSecretsList) { try await secrets.list($1, context: $0) }
        routes.on(RequestType.engineSecretsDelete) { try await secrets.delete($1, context: $0) }
        routes.on(RequestType.engineSignalsDecisions) { try await signals.decisions($1, context: $0) }
        routes.on(RequestType.engineSignalsGet) { try await signals.get($1, context: $0) }
        routes.on(RequestType.engineSignalsLacking) { try await signals.lacking($1, context: $0) }
        return routes
    }
}
