private import Foundation
private import Logging
package import Persistence
package import Synchronization

/// A whole system of one test's own: a database, a virtual host, and the services as processes of their own.
package final class Installation: Sendable {
    /// The installation of the suite that runs; set by `InstallationTrait`.
    @TaskLocal package static var current: Installation?

    /// The tenant that `bootstrap` made.
    package static let tenant = "acme"

    /// Tells at which host and port a service reaches the server with the given one.
    package typealias Route = @Sendable (_ service: SystemService, _ authority: String) throws -> String

    /// The servers that it stands on.
    package let servers: TestServers

    /// The pair of servers that are its own and may be restarted; nil on the shared ones.
    package let privateServers: PrivateServers?

    /// The name of its database.
    package let database: String

    /// The superuser's client of its database.
    package let sql: PostgresClient

    /// Its virtual host, seen by the administrator.
    package let broker: BrokerAdministration

    /// An administrator's token.
    package let token: String

    /// Everything that clients of this installation have sent.
    package let history = SignalHistory()

    /// The ids of messages that were put into queues as poison.
    package let poison = Mutex<Set<String>>([])

    private let replicas = Mutex<[Replica]>([])
    private let settings: [SystemService: [String: String]]
    private let route: Route

    private init(
        _ servers: TestServers,
        _ privateServers: PrivateServers?,
        settings: [SystemService: [String: String]],
        database: String,
        sql: PostgresClient,
        broker: BrokerAdministration,
        token: String,
        route: @escaping Route
    ) {
        self.servers = servers
        self.privateServers = privateServers
        self.settings = settings
        self.database = database
        self.sql = sql
        self.broker = broker
        self.token = token
        self.route = route
    }

    /// The installation of the suite that runs.
    ///
    /// - Throws: `TestSupportError` with code `noServers` when the suite has none.
    package static func required() throws -> Installation {
        guard let current else {
            throw TestSupportError(.noServers, "The suite has no trait that makes an installation.")
        }
        return current
    }

    /// Makes an installation, lends it with its services running, and removes it.
    ///
    /// - Parameters:
    ///   - name: a word for the names of database and virtual host.
    ///   - servers: where to put it.
    ///   - privateServers: the same servers, where they may be restarted.
    ///   - services: how many replicas of which service are started.
    ///   - settings: variables of a service's replicas, beyond what every installation has.
    ///   - route: how services reach the servers; directly, unless it is given.
    ///   - body: what to do with it.
    /// - Returns: what the body returned.
    /// - Throws: `TestSupportError` when it could not be made, or the body's error.
    package static func with<Value>(
        _ name: String,
        on servers: TestServers,
        privateServers: PrivateServers? = nil,
        services: [SystemService: Int],
        settings: [SystemService: [String: String]] = [:],
        route: @escaping Route = { $1 },
        _ body: (Installation) async throws -> Value
    ) async throws -> Value {
        let database = "batuta_\(name)_\(UInt32.random(in: .min ... .max))"
        let broker = try BrokerAdministration(servers, virtualHost: database)
        let site = Site(servers: servers, database: database)
        do {
            let token = try await site.prepare()
            let value = try await site.withSuperuser(of: database) { sql in
                let installation = Installation(
                    servers,
                    privateServers,
                    settings: settings,
                    database: database,
                    sql: sql,
                    broker: broker,
                    token: token,
                    route: route
                )
                return try await installation.run(services, body)
            }
            await site.remove(broker)
            return value
        } catch {
            await site.remove(broker)
            throw error
        }
    }

    private func run<Value>(
        _ services: [SystemService: Int],
        _ body: (Installation) async throws -> Value
    ) async throws -> Value {
        do {
            for service in SystemService.allCases {
                for _ in 0..<services[service, default: 0] { _ = try add(service) }
            }
            for replica in all { try replica.launch() }
            for replica in all { try await replica.process?.waitUntilReady(within: .seconds(60)) }
            let value = try await body(self)
            await stop()
            return value
        } catch {
            await stop()
            throw error
        }
    }

    /// Kills what still runs; a test that is about an orderly stop has made it already.
    private func stop() async {
        for replica in all { try? await replica.kill() }
    }

    // MARK: - Replicas

    /// Every replica, in the order in which they were added.
    package var all: [Replica] { replicas.withLock { $0 } }

    /// The replicas of a service.
    package func replicas(of service: SystemService) -> [Replica] { all.filter { $0.service == service } }

    /// One replica.
    ///
    /// - Throws: `TestSupportError` when there is none with that number, counted from 0.
    package func replica(_ service: SystemService, _ number: Int = 0) throws -> Replica {
        let own = replicas(of: service)
        guard own.indices.contains(number) else {
            throw TestSupportError(.notStarted, "There is no replica \(number) of \(service.rawValue).")
        }
        return own[number]
    }

    /// What configures a service of this installation; replicas add their own name and ports.
    package func settings(of service: SystemService) throws -> [String: String] {
        try Site(servers: servers, database: database, route: route).environment(of: service)
            .merging(settings[service, default: [:]], uniquingKeysWith: { $1 })
    }

    /// Adds a replica, which is not started yet.
    package func add(_ service: SystemService) throws -> Replica {
        try replicas.withLock { replicas in
            let number = replicas.count { $0.service == service } + 1
            let replica = try Replica(
                service,
                number: number,
                environment: try settings(of: service),
                authority: servers.authority
            )
            replicas.append(replica)
            return replica
        }
    }

    /// Starts again what has ended in the meantime, as a supervisor does; answers the names of those that had.
    @discardableResult
    package func restartEnded() async throws -> [String] {
        let ended = all.filter { !$0.isRunning }
        for replica in ended { try replica.launch() }
        for replica in ended { try await replica.waitUntilReady() }
        return ended.map(\.name)
    }

    /// Waits until every replica is ready; one that ends by itself never is.
    package func waitUntilReady() async throws {
        for replica in all { try await replica.process?.waitUntilReady(within: .seconds(60)) }
    }

    /// Runs a body, and prints the end of every log when it throws.
    package func showingLogs<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch {
            print(all.map(\.logs).joined(separator: "\n"))
            throw error
        }
    }

    /// Lends a superuser's client of another database on the same server.
    package func withSuperuser<Value>(
        of database: String,
        _ body: (PostgresClient) async throws -> Value
    ) async throws -> Value {
        try await Site(servers: servers, database: database).withSuperuser(of: database, body)
    }

    /// Installs the broker's definitions again, after they were lost.
    package func applyDefinitions() async throws {
        try await Site(servers: servers, database: database).applyDefinitions()
    }
}
