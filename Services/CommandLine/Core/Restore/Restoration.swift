import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// Makes a database that was restored to an earlier moment safe to go on with.
///
/// The broker may hold messages from after that moment, whose signals and runs the database knows nothing of; and the
/// numbers that lanes gave their entries after it are known to outsiders. So the services' queues go, with what is in them,
/// and new lanes get epochs that were never used. What the database holds and the consumers lack is sent again by the
/// lanes themselves.
struct Restoration: Sendable {
    let database: PostgresClient
    let broker: BrokerAdministration
    let virtualHost: String
    /// Why, for the audit log.
    let reason: String?
    /// The name of the log's key, where the operator has given it.
    let log: String?

    /// How long the last connections of services that were just stopped may take to go.
    private static let patience = Duration.seconds(10)

    /// Does it all.
    ///
    /// Doing it again does no harm.
    ///
    /// - Parameter print: Takes each line when what it says stands.
    /// - Throws: ``CommandLineError`` while a service runs or where the log's name is not known, or what database or broker
    ///   refused with.
    func run(print: (String) -> Void) async throws {
        for schema in ServiceSchema.allCases {
            try await SchemaGate.check(client: database, schema: schema)
        }
        try await requireNoServices()
        let succession = LogSuccession(database: database, name: log)
        let ended = try await succession.ended()
        for queue in try await broker.queues(virtualHost: virtualHost) {
            try await broker.deleteQueue(queue, virtualHost: virtualHost)
            print("deleted the queue \(queue) with what was in it")
        }
        let epoch = try await moveEpochs()
        print("new lanes get epochs above \(epoch)")
        let newest = try await newestSignal()
        let next = try await succession.begin(after: ended, at: Int(Timestamp.now().microseconds / 1_000_000))
        print("the audit log goes on as \(next): whoever verifies it needs the key of that name")
        try await leaveEntry(epoch: epoch, newest: newest, ended: ended, next: next)
        print("the audit log will have an entry of this")
        print(
            newest.map { "the newest signal is of \($0): whatever was acknowledged later has to be sent again" }
                ?? "the database holds no signal: whatever was acknowledged has to be sent again"
        )
    }

    private func requireNoServices() async throws {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            var running = try await database.execute(Self.sessions).map { try $0.decode(0, as: String.self) }
            running += try await broker.serviceConnections(virtualHost: virtualHost)
            guard !running.isEmpty else { return }
            guard ContinuousClock.now < deadline else {
                let names = Set(running).sorted().prefix(10).joined(separator: ", ")
                throw CommandLineError(
                    .running,
                    "stop every service first; nothing was changed. Connected to the database or the broker: \(names)"
                )
            }
            // The broker's list is some seconds old.
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Moves the epochs of every schema on, beyond all that may have been given since the backup.
    ///
    /// The milliseconds of the time: lanes are opened far less often than once in one, so that what was ever given, also
    /// after another restoration, is below.
    private func moveEpochs() async throws -> Int64 {
        let now = Timestamp.now().microseconds / 1_000
        var highest = now
        for schema in ServiceSchema.allCases {
            let rows = try await database.execute(
                PostgresStatement(
                    """
                    SELECT setval(
                        pg_get_serial_sequence('\(schema.name).lanes', 'epoch'),
                        greatest($1::bigint, (SELECT last_value FROM \(schema.name).lanes_epoch_seq)))
                    """,
                    [.int8(now)]
                )
            )
            highest = max(highest, try rows.first?.decode(0, as: Int64.self) ?? 0)
        }
        return highest
    }

    private func newestSignal() async throws -> Timestamp? {
        let rows = try await database.execute(
            PostgresStatement("SELECT signal_id FROM gateway.signals ORDER BY signal_id DESC LIMIT 1")
        )
        guard let id = try rows.first?.decode(0, as: UUID.self), let time = UUIDv7.milliseconds(of: id) else {
            return nil
        }
        return Timestamp(microseconds: Int64(time) * 1_000)
    }

    /// Leaves the entry in a lane of the gateway's that nobody keeps: the next gateway that runs sends it.
    private func leaveEntry(
        epoch: Int64,
        newest: Timestamp?,
        ended: LogSuccession.Ended,
        next: String
    ) async throws {
        let after: JSONValue = [
            "epochs_above": .number(epoch), "log": .string(next),
            "newest_signal": newest.map { .string("\($0)") } ?? .null,
        ]
        let draft = AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: "batuta",
            actor: AuditActor(type: .system, id: "batuta", via: "restored"),
            action: "restore",
            object: AuditObject(type: "installation", id: "batuta"),
            before: try .json(["log": .string(ended.name), "signed_entries": .number(ended.signedSize)]),
            after: try .json(after),
            reason: reason
        )
        let lanes = LaneGroup.unrelayed(
            schema: .gateway,
            service: "api-gateway",
            replica: "restored",
            database: database
        )
        try await lanes.change(deadline: .now + .seconds(30)) { _ in .made((), draft) }
    }

    private static let sessions = PostgresStatement(
        """
        SELECT coalesce(nullif(application_name, ''), usename::text) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = ANY ($1)
        """,
        [.textArray(ServiceSchema.allCases.map(\.role))],
        isReadOnly: true
    )
}
