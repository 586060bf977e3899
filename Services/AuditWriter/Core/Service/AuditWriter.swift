import Checkpoints
import Logging
import MerkleLog
import Messaging
import Persistence
import ServiceBase
package import ServiceRuntime

/// Builds the audit-writer out of its parts, in the order in which they depend on each other.
package enum AuditWriter {
    /// How many messages one batch takes at most.
    private static let batch = 200
    /// How many requests are answered at once.
    private static let requestConcurrency = 16
    /// How many of these are reads of clients; the rest is for other services, which ask what the log lacks.
    private static let clientReads = 8
    /// How many beside them may ask for what watches the log.
    private static let watchingReads = 4
    /// How many connections the reads of clients have, beside those that appending has.
    private static let clientConnections = 2

    /// What the service declares about itself.
    package static let definition = ServiceDefinition(
        .auditWriter,
        keys: AuditKeys.all + OutboxKeys.all,
        metrics: ServiceBase.metrics + LogMetrics.descriptions
    )

    /// The parts of the service.
    ///
    /// It has one lane, for what operators change in it; the entries go the way of all others, over the broker to itself.
    ///
    /// - Throws: What stops the start, with a sentence that says what to do.
    package static func parts(_ context: ServiceContext) async throws -> [ServicePart] {
        let base = try await ServiceBase.connect(
            context,
            schema: .audit,
            laneCount: 1,
            deleting: [.commands(keeping: context.configuration[CommonKeys.retentionDays]), .exports]
        )
        let entries = base.consumer(Topology.auditWriter, prefetch: batch * 2, connection: "/log")
        let commands = base.consumer(Topology.commands(to: .audit), prefetch: batch * 2, connection: "/commands")
        let letters = base.deadLetters()
        let authority = try await authority(context)
        let unsigned = Alarm()
        let watch = LogWatch()
        watch.observe(in: context.metrics)
        let appender = LogAppender(
            database: base.database,
            authority: authority,
            unsigned: unsigned,
            watch: watch,
            logger: context.logger
        )
        let keeper = CheckpointKeeper(
            appender: appender,
            authority: authority,
            database: base.database,
            unsigned: unsigned,
            schedule: AuditKeys.schedule(context.configuration),
            watch: watch,
            logger: context.logger
        )
        context.health.register("checkpoints") { await keeper.problem.map { .failing($0) } ?? .ok }
        let log = LogIntake(appender: appender, deadLetters: letters.repository)
        let keeping = KeepIntake(
            repository: KeptBodyRepository(database: base.database),
            deadLetters: letters.repository
        )
        let reads = try ServiceBase.connections(context, for: "reads", atMost: clientConnections)
        var routes = routes(base, try AuditKeys.witnesses(context.configuration))
        registerReads(in: &routes, on: reads, base, authority)
        base.desk(
            of: letters,
            process: { try await Redriving(log: log, keeping: keeping).process($0) },
            classify: LogIntake.classify
        )
        .register(in: &routes)
        register(entries, commands, base, context)
        // In the order of the stop, which is the reverse: a source ends before the part that works on what it gave out.
        return base.parts + [
            ServicePart("reads of the database", reads),
            ServicePart("checkpoints", keeper),
            ServicePart("log", consumer(of: entries, Topology.auditWriter, log.process, log.bury, letters, context)),
            ServicePart(
                "kept values",
                consumer(of: commands, Topology.commands(to: .audit), keeping.process, keeping.bury, letters, context)
            ),
            ServicePart("log queue", entries),
            ServicePart("command queue", commands),
            ServicePart("dead letters", letters.gauge),
            ServicePart("requests", base.requestServer(routes, concurrency: requestConcurrency)),
        ]
    }

    /// The log's keys, and the journal of what they have signed.
    private static func authority(_ context: ServiceContext) async throws -> CheckpointAuthority {
        let keys = try LogKeyFile(path: context.configuration[AuditKeys.keyFile])
        let origin = try await ServiceBase.once(context) { try await LogRepository(database: $0).origin() }
        let signers = try keys.signers(of: origin)
        let journal = try CheckpointJournal(
            directory: context.configuration[AuditKeys.stateFolder],
            origin: signers[0].name
        )
        return CheckpointAuthority(signers: signers, journal: journal)
    }

    /// What `/readyz` asks about beside what every service has.
    private static func register(
        _ entries: RabbitMQConsumer,
        _ commands: RabbitMQConsumer,
        _ base: ServiceBase,
        _ context: ServiceContext
    ) {
        context.health.register("schema") {
            do {
                try await SchemaGate.check(client: base.database, schema: .audit)
                return .ok
            } catch {
                return .failing("the schema cannot be read or is not one that this release can use")
            }
        }
        context.health.register("queues") {
            ServiceBase.brokerHealth(base.publisher, isReady: entries.isConnected && commands.isConnected)
        }
    }

    private static func routes(_ base: ServiceBase, _ witnesses: [NoteVerifierKey]) -> RequestRoutes {
        let database = base.database
        let lacking = LackingRequests(database: database)
        let cosignatures = CosignatureRequests(database: database, witnesses: witnesses)
        let erasure = ErasureRequests(database: database, lanes: base.lanes)
        var routes = RequestRoutes()
        routes.on(RequestName.lanesPosition) { try await lacking.numbers($0, $1) }
        routes.on(RequestName.commandsLacking) { try await lacking.commands($0, $1) }
        routes.on(RequestName.checkpointsCosign) { try await cosignatures.cosign($0, $1) }
        routes.on(RequestName.keptErase) { try await erasure.erase($0, $1) }
        return routes
    }

    /// What clients read, which takes as long as it takes and holds up nothing else.
    private static func registerReads(
        in routes: inout RequestRoutes,
        on database: PostgresClient,
        _ base: ServiceBase,
        _ authority: CheckpointAuthority
    ) {
        let accesses = LogAccesses(lanes: base.lanes)
        let reader = EntryReader(database: database, accesses: accesses)
        let history = HistoryRequests(database: database, accesses: accesses)
        let values = KeptValueRequests(database: database, accesses: accesses)
        let proofs = ProofRequests(database: database, accesses: accesses)
        let proved = ProvedEntryRequests(database: database, accesses: accesses)
        let exports = ExportRequests(database: database, accesses: accesses, authority: authority)
        let gates = ReadGates(reading: clientReads, watching: watchingReads)
        func read(_ name: String, _ handler: @escaping RequestRoutes.Handler) {
            routes.on(name, gates.admitting(name, handler))
        }
        read(RequestName.entriesList) { try await reader.list($0, $1) }
        read(RequestName.entriesProve) { try await proofs.prove($0, $1) }
        read(RequestName.proofsInclusion) { try await proved.list($0, $1) }
        read(RequestName.objectsHistory) { try await history.history($0, $1) }
        read(RequestName.keptGet) { try await values.get($0, $1) }
        read(RequestName.checkpointsNewest) { try await proofs.newest($0, $1) }
        read(RequestName.proofsConsistency) { try await proofs.consistency($0, $1) }
        read(RequestName.tilesGet) { try await proofs.tile($0, $1) }
        read(RequestName.exportsBegin) { try await exports.begin($0, $1) }
        read(RequestName.exportsGet) { try await exports.get($0, $1) }
        read(RequestName.exportsEntries) { try await exports.entries($0, $1) }
    }

    private static func consumer(
        of source: RabbitMQConsumer,
        _ subscription: Topology.Subscription,
        _ process: @escaping BatchConsumer.Process,
        _ bury: @escaping BatchConsumer.Bury,
        _ letters: DeadLetters,
        _ context: ServiceContext
    ) -> BatchConsumer {
        BatchConsumer(
            label: subscription.queue.name,
            source: source,
            settings: BatchConsumer.Settings(maximum: batch),
            process: process,
            classify: LogIntake.classify,
            bury: letters.counting(bury),
            logger: context.logger
        )
    }
}
