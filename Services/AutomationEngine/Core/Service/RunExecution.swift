import Contracts
import Domain
import FoundationEssentials
import Logging
import OutboundHTTP
import Persistence
import Secrets
import ServiceBase
import ServiceRuntime

/// What executes runs, put together.
struct RunExecution: Sendable {
    let registry = ActionRegistry.builtIn
    /// Nil where no key file is configured.
    let keys: SecretKeyRing?
    let driver: RunDriver
    let processor: SignalProcessor
    /// Rung when runs have ended that may have had a place.
    let freed = Alarm()
    let parts: [ServicePart]

    /// - Throws: `OutboundError`, `SecretsError` or `MailSettings.Fault` for a setting that cannot be used, with a sentence that names it.
    init(_ base: ServiceBase, _ configuration: ServiceConfiguration, logger: Logger) throws {
        keys = try configuration[EngineKeys.secretKeys].map { try SecretKeyRing(contentsOf: $0) }
        let client = try OutboundClient(configuration: Self.outbound(configuration))
        let mail = try MailSettings.client(configuration)
        let now: @Sendable () -> Int64 = { Timestamp.now().microseconds }
        let committer = RunCommitter(lanes: base.lanes, owner: base.instance, freed: freed, now: now)
        let driver = RunDriver(
            slots: RunSlots(
                capacity: configuration[EngineKeys.effects],
                share: configuration[EngineKeys.effectsPerTenant]
            ),
            repository: RunRepository(database: base.database),
            versions: AutomationVersions(database: base.database, registry: registry),
            committer: committer,
            effects: EffectPerformer(
                client: client,
                mail: MailPerformer(client: mail),
                secrets: SecretStore(database: base.database, keys: keys),
                publisher: base.publisher
            ),
            lanes: base.lanes,
            owner: base.instance,
            now: now,
            logger: logger
        )
        self.driver = driver
        let catalogue = AutomationCatalogue(database: base.database, registry: registry, logger: logger)
        processor = SignalProcessor(
            lanes: base.lanes,
            catalogue: catalogue,
            driver: driver,
            owner: base.instance,
            now: now
        )
        parts =
            [ServicePart("calls to the outside", client)] + (mail.map { [ServicePart("mails", $0)] } ?? []) + [
                ServicePart("outcomes of runs", committer),
                ServicePart("runs", driver),
                ServicePart(
                    "broken definitions",
                    BrokenDefinitions(found: catalogue.unreadable, lanes: base.lanes, logger: logger)
                ),
                ServicePart(
                    "held runs",
                    HeldRuns(database: base.database, driver: driver, alarm: freed, logger: logger)
                ),
            ]
    }

    private static func outbound(_ configuration: ServiceConfiguration) throws(OutboundError) -> OutboundConfiguration {
        var outbound = OutboundConfiguration()
        outbound.allowList = try AllowList(configuration[EngineKeys.httpAllow].joined(separator: ","))
        outbound.trustFile = configuration[EngineKeys.httpTrust]
        // The slots are the limit: a tenant whose calls hang must not hold all connections to a host that others call.
        outbound.connectionsPerTarget = max(outbound.connectionsPerTarget, configuration[EngineKeys.effects])
        return outbound
    }
}
