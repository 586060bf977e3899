private import Foundation
package import TestSupport

/// The servers under a system, as a nemesis handles them: single ones, or a cluster of three nodes and a pair.
package struct FaultServers: Sendable {
    /// Where they are reached.
    package let servers: TestServers

    /// Whether the broker has three nodes and the database a synchronous standby.
    package let isCluster: Bool

    /// A private Postgres and a private RabbitMQ.
    package init(_ servers: PrivateServers) {
        self.servers = servers.servers
        isCluster = false
    }

    /// What `compose/fault` has started: three nodes and a pair.
    package init(cluster servers: TestServers) {
        self.servers = servers
        isCluster = true
    }

    /// The numbers of the broker's nodes.
    var nodes: [Int] { isCluster ? [1, 2, 3] : [1] }

    // MARK: - The broker

    func startNodes(_ nodes: [Int]) async throws { try await broker("start", nodes) }
    func stopNodes(_ nodes: [Int]) async throws { try await broker("stop", nodes) }
    func killNodes(_ nodes: [Int]) async throws { try await broker("kill", nodes) }

    /// Cuts a node off from everybody.
    func cut(_ node: Int) async throws { try await broker("cut", [node]) }

    /// Connects a node again.
    func join(_ node: Int) async throws { try await broker("join", [node]) }

    private func broker(_ verb: String, _ nodes: [Int]) async throws {
        if isCluster {
            try await run("rabbitmq-cluster", [verb, directory] + nodes.map(String.init))
        } else {
            try await run("servers", ["\(verb)-rabbitmq", directory])
        }
    }

    // MARK: - The database

    /// Stops the primary without a checkpoint, and starts it again.
    func restartDatabase() async throws {
        if isCluster {
            try await run("postgres-pair", ["restart-primary", directory])
        } else {
            try await run("servers", ["restart-postgres", directory, "immediate"])
        }
    }

    func killDatabase() async throws { try await database("kill-primary", "kill-postgres") }
    func startDatabase() async throws { try await database("start-primary", "start-postgres") }

    /// Promotes the standby; the old primary must not run.
    func promote() async throws { try await run("postgres-pair", ["promote", directory]) }

    /// Lets the old primary join as the new standby.
    func rejoin() async throws { try await run("postgres-pair", ["rejoin", directory]) }

    func stopStandby() async throws { try await run("postgres-pair", ["stop-standby", directory]) }
    func startStandby() async throws { try await run("postgres-pair", ["start-standby", directory]) }

    private func database(_ pair: String, _ single: String) async throws {
        if isCluster {
            try await run("postgres-pair", [pair, directory])
        } else {
            try await run("servers", [single, directory])
        }
    }

    // MARK: - Both

    /// Waits until every server is whole: all nodes in one cluster, the standby synchronous.
    ///
    /// A single server is whole when it takes connections, which whoever starts it has waited for.
    package func awaitWhole() async throws {
        guard isCluster else { return }
        try await run("rabbitmq-cluster", ["await", directory])
        try await run("postgres-pair", ["await", directory])
    }

    /// Starts and connects whatever a fault has left stopped or cut off.
    package func restore() async throws {
        guard isCluster else {
            try await run("servers", ["start", directory])
            return
        }
        for node in nodes { try await join(node) }
        try await startNodes(nodes)
        try await run("postgres-pair", ["restore", directory])
    }

    private var directory: String { servers.directory }

    private func run(_ script: String, _ arguments: [String]) async throws {
        let path = BuildFolder.repository.appendingPathComponent("compose/\(script)").path
        try await Command.check(path, arguments)
    }
}
