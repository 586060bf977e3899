import Domain
import FoundationEssentials
import Mail
import Messaging
import OutboundHTTP
import Persistence
import Secrets
import TestSupport

@testable import AutomationEngineCore

/// The parts that drive runs, on a migrated database of their own and without a broker: what the lanes hold stays in the
/// outbox.
struct TestEngine: Sendable {
    /// Microseconds of Unix time, of every run of the tests.
    static let now: Int64 = 1_763_688_555_123_456

    let storage: ServiceDatabase
    let instance: UUID
    let lanes: LaneGroup

    /// Works as the service.
    var database: PostgresClient { storage.client }

    /// Makes a database, lends the parts, and drops the database.
    static func with(_ body: (TestEngine) async throws -> Void) async throws {
        try await ServiceDatabase.with(.engine) { storage in
            let context = LaneContext.withoutBroker(storage.client, schema: .engine)
            try await body(
                TestEngine(storage: storage, instance: context.instance, lanes: LaneGroup(context: context, count: 2))
            )
        }
    }

    /// A run that begins, stored as the engine stores it.
    func begin(
        _ automation: CompiledAutomation,
        data: String = "{}",
        signal: IncomingSignal? = nil
    ) async throws -> (RunMachine, RunMachine.Next) {
        let signal = try signal ?? Fixtures.signal(data: data)
        var machine = RunMachine(automation, signal: signal, runID: UUIDv7.make(), at: Self.now)
        let next = machine.resumed(at: Self.now)
        let update = RunUpdate(record: machine.record, change: machine.takeChange())
        try await lanes.transaction { [instance] transaction in
            transaction.enqueue(RunRepository.insertion(of: [update.record], signals: [signal], owner: instance))
            transaction.enqueue(RunRepository.recording([update], owner: instance))
        }
        return (machine, next)
    }

    /// What stores steps forward, not yet running.
    func committer() -> RunCommitter {
        RunCommitter(lanes: lanes, owner: instance) { Self.now }
    }

    /// What drives runs, not yet running.
    func driver(_ client: OutboundClient, mail: MailClient? = nil, committer: RunCommitter) -> RunDriver {
        RunDriver(
            slots: RunSlots(capacity: 10),
            repository: RunRepository(database: database),
            versions: AutomationVersions(database: database, registry: .builtIn),
            committer: committer,
            effects: EffectPerformer(
                client: client,
                mail: MailPerformer(client: mail),
                secrets: SecretStore(database: database, keys: nil)
            ),
            lanes: lanes,
            owner: instance,
            now: { Self.now },
            logger: ServiceDatabase.logger
        )
    }

    /// The texts that a statement answers, of its first column.
    func texts(_ query: String) async throws -> [String] {
        try await database.execute(PostgresStatement(query)).map { try $0.decode(0) }
    }

    /// Runs a body with a client that may call loopback.
    static func withClient<Value>(
        allowing list: String = "127.0.0.1",
        _ body: (OutboundClient) async throws -> Value
    ) async throws -> Value {
        var configuration = OutboundConfiguration()
        configuration.allowList = try AllowList(list)
        let client = try OutboundClient(configuration: configuration)
        do {
            let value = try await body(client)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }
}
