import Glibc
import NIOCore
import NIOPosix
import Synchronization
package import TestSupport

/// What stands between services and servers: a proxy for each pair of them, which forwards everything until it is told
/// to be slow, to break connections or to lose answers.
package final class FaultyNetwork: Sendable {
    /// What is done to the connections of one service.
    struct Behaviour: Hashable, Sendable {
        /// How much later everything arrives.
        var latency = Duration.zero
        /// How many of a thousand pieces of data break their connection.
        var resetsPerThousand = 0
        /// Whether what servers send never arrives.
        var losesAnswers = false
        /// How fast each connection is read; nil for as fast as it goes.
        var bytesPerSecond: Int?
    }

    private struct Pair: Hashable {
        let service: SystemService
        let authority: String
    }

    private let ports: [Pair: Int]
    private let conduct: Conduct

    /// Puts proxies between some services and servers for as long as the body runs.
    ///
    /// - Parameters:
    ///   - services: whose connections go through them.
    ///   - authorities: the hosts and ports of the servers.
    ///   - body: is lent the network.
    /// - Returns: what the body returns.
    /// - Throws: what the body throws, or why a proxy cannot listen.
    package static func with<Value>(
        services: [SystemService],
        authorities: [String],
        _ body: (FaultyNetwork) async throws -> Value
    ) async throws -> Value {
        let conduct = Conduct()
        var listeners: [any Channel] = []
        var ports: [Pair: Int] = [:]
        func close() async { for listener in listeners { try? await listener.close() } }
        do {
            for service in services {
                for authority in authorities {
                    let listener = try await listen(service, authority, conduct)
                    listeners.append(listener)
                    ports[Pair(service: service, authority: authority)] = listener.localAddress?.port
                }
            }
            let value = try await body(FaultyNetwork(ports, conduct))
            await close()
            return value
        } catch {
            await close()
            throw error
        }
    }

    private init(_ ports: [Pair: Int], _ conduct: Conduct) {
        self.ports = ports
        self.conduct = conduct
    }

    /// Where a service reaches a server.
    ///
    /// - Throws: `TestSupportError` when no proxy stands between them.
    package func route(_ service: SystemService, _ authority: String) throws -> String {
        guard let port = ports[Pair(service: service, authority: authority)] else {
            throw TestSupportError(.noServers, "No proxy stands between \(service.rawValue) and \(authority).")
        }
        return "127.0.0.1:\(port)"
    }

    /// Changes how the connections of some services behave.
    func change(_ services: [SystemService], _ body: (inout Behaviour) -> Void) {
        conduct.behaviours.withLock { behaviours in
            for service in services { body(&behaviours[service, default: Behaviour()]) }
        }
    }

    /// Lets everything pass again, and breaks what has lost something: no network takes a piece out of a connection that
    /// then goes on.
    func clear() {
        conduct.behaviours.withLock { $0 = [:] }
        let torn = conduct.torn.withLock { torn in
            defer { torn = [] }
            return torn
        }
        for channel in torn { Self.reset(channel) }
    }

    /// Ends a side of a connection with a reset instead of an orderly end.
    static func reset(_ channel: any Channel) {
        guard let provider = channel as? any SocketOptionProvider else { return }
        provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
    }

    /// How each service's connections behave now; the proxies' threads read it.
    final class Conduct: Sendable {
        let behaviours = Mutex<[SystemService: Behaviour]>([:])
        /// Both sides of each connection that has lost something.
        let torn = Mutex<[any Channel]>([])

        func behaviour(of service: SystemService) -> Behaviour {
            behaviours.withLock { $0[service] ?? Behaviour() }
        }
    }

    private static func listen(
        _ service: SystemService,
        _ authority: String,
        _ conduct: Conduct
    ) async throws -> any Channel {
        let parts = authority.split(separator: ":")
        guard parts.count == 2, let port = Int(parts[1]) else {
            throw TestSupportError(.noServers, "\(authority) is no host with a port.")
        }
        let host = String(parts[0])
        return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop)
                    .channelOption(.autoRead, value: false)
                    .connectTimeout(.seconds(5))
                    .connect(host: host, port: port)
                    .flatMap { server in
                        client.eventLoop.makeCompletedFuture {
                            let (up, down) = (
                                Forwarder(to: server, of: service, conduct, isAnswer: false),
                                Forwarder(to: client, of: service, conduct, isAnswer: true)
                            )
                            try client.pipeline.syncOperations.addHandler(up)
                            try server.pipeline.syncOperations.addHandler(down)
                        }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }
}
