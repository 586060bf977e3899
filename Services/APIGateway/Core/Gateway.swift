package import Logging
package import Messaging
package import Persistence
package import Secrets
import ServiceBase
package import ServiceRuntime

/// The gateway, built out of its parts.
package struct Gateway: Sendable {
    package let identities: IdentityStore
    package let refusals: RefusalLedger
    package let intake: SignalIntake
    package let server: GatewayServer
    private let resealer: SecretResealer?
    private let replays: ReplayWorker
    private let drain = ConnectionDrain()

    /// - Parameters:
    ///   - configuration: The gateway's settings.
    ///   - database: The service's database.
    ///   - lanes: Its lanes; one more than the intake uses, for what administrators change.
    ///   - requests: The way to other services.
    ///   - tls: What makes it HTTPS; nil for plain HTTP.
    ///   - secrets: The keys that the secrets of hooks are sealed with; without them there are no hooks.
    ///   - logger: Where it logs.
    package init(
        _ configuration: GatewayConfiguration,
        database: PostgresClient,
        lanes: LaneGroup,
        requests: RequestClient,
        tls: GatewayTLS? = nil,
        secrets: SecretKeyRing? = nil,
        logger: Logger
    ) {
        let identities = IdentityStore(repository: IdentityRepository(database: database), logger: logger)
        let refusals = RefusalLedger(lanes: lanes, logger: logger)
        let tenantRefusals = TenantRefusals(logger: logger)
        let intake = SignalIntake(
            lanes: lanes,
            identities: identities,
            limits: configuration.intake,
            refusals: tenantRefusals,
            logger: logger
        )
        let engine = EngineClient(requests: requests, patience: configuration.patience)
        let metrics = RequestMetrics()
        let hooks = HookRepository(database: database)
        let hookSecrets = HookSecrets(ring: secrets)
        let replays = ReplayWorker(
            lanes: lanes,
            repository: ReplayRepository(database: database),
            requests: requests,
            patience: configuration.intake.patience,
            logger: logger
        )
        let operations = GatewayOperations(
            signals: SignalOperations(
                intake: intake,
                repository: SignalRepository(database: database),
                engine: engine,
                reader: SignalReader(limits: configuration.bodies),
                patience: configuration.patience
            ),
            runs: RunOperations(engine: engine, limit: configuration.bodies.request),
            automations: AutomationOperations(
                engine: engine,
                signals: SignalRepository(database: database),
                limit: configuration.bodies.request
            ),
            actions: ActionOperations(engine: engine, limit: configuration.bodies.request),
            tokens: TokenOperations(
                lanes: lanes,
                database: database,
                limit: configuration.bodies.request,
                patience: configuration.patience
            ),
            secrets: SecretOperations(engine: engine, limit: configuration.bodies.request),
            hooks: HookOperations(
                lanes: lanes,
                repository: hooks,
                secrets: hookSecrets,
                limit: configuration.bodies.request,
                patience: configuration.patience
            ),
            receiver: HookReceiver(
                repository: hooks,
                secrets: hookSecrets,
                intake: intake,
                limits: configuration.bodies,
                patience: configuration.patience,
                logger: logger
            ),
            deadLetters: DeadLetterOperations(engine: engine, limit: configuration.bodies.request),
            replays: ReplayOperations(
                lanes: lanes,
                repository: ReplayRepository(database: database),
                engine: engine,
                worker: replays,
                limits: ReplayOperations.Limits(
                    body: configuration.bodies.request,
                    signals: configuration.replayedSignals
                ),
                patience: configuration.patience
            ),
            audit: AuditOperations(engine: engine, limit: configuration.bodies.request)
        )
        resealer = secrets.map {
            SecretResealer(columns: SealedColumn.hooks, ring: $0, database: database, logger: logger)
        }
        self.replays = replays
        self.identities = identities
        self.refusals = refusals
        self.intake = intake
        server = GatewayServer(
            address: configuration.address,
            responder: GatewayResponder(
                authenticator: Authenticator(identities: identities, refusals: refusals, metrics: metrics),
                operations: operations,
                rate: TenantRateLimiter(perSecond: configuration.requestsPerSecond),
                tenantRefusals: tenantRefusals,
                limits: configuration.bodies,
                metrics: metrics,
                drain: drain,
                logger: logger
            ),
            limits: configuration.server,
            tls: tls,
            drain: drain,
            logger: logger
        )
    }

    /// Its own parts in the order of dependence, the server last.
    package var parts: [ServicePart] {
        (resealer.map { [ServicePart("sealed secrets", $0)] } ?? []) + [
            ServicePart("identities", identities),
            ServicePart("refusals", refusals),
            ServicePart("intake", intake),
            ServicePart("replays", replays),
            ServicePart("http", server),
            // Stopped first: parts stop in reverse.
            ServicePart("connections", drain),
        ]
    }

    /// Every part of the process.
    ///
    /// - Throws: What stops the start, with a sentence that says what to do.
    package static func parts(_ context: ServiceContext) async throws -> [ServicePart] {
        let configuration = GatewayConfiguration(context.configuration)
        let secrets = try configuration.secretKeysFile.map(Self.keyRing)
        let tls = try GatewayTLS.configured(
            certificateFile: configuration.tlsCertificateFile,
            keyFile: configuration.tlsKeyFile
        )
        tls?.measure()
        let base = try await ServiceBase.connect(
            context,
            schema: .gateway,
            laneCount: configuration.intake.lanes + 1,
            deleting: [.signalKeys, .replays(keeping: context.configuration[CommonKeys.retentionDays])],
            loadSignals: { try await SignalRepository(database: $0).events(of: $1) }
        )
        let gateway = Gateway(
            configuration,
            database: base.database,
            lanes: base.lanes,
            requests: base.requests,
            tls: tls,
            secrets: secrets,
            logger: context.logger
        )
        return base.parts + gateway.parts
    }

    /// Reads the key file before anything else is begun.
    private static func keyRing(_ path: String) throws -> SecretKeyRing {
        do throws(SecretsError) {
            return try SecretKeyRing(contentsOf: path)
        } catch {
            throw StartError("\(GatewayKeys.secretKeysFile.name) is of no use. \(error.message)")
        }
    }
}
