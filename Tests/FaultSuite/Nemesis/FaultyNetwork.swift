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
    fileprivate static func reset(_ channel: any Channel) {
        guard let provider = channel as? any SocketOptionProvider else { return }
        provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
    }

    /// How each service's connections behave now; the proxies' threads read it.
    fileprivate final class Conduct: Sendable {
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

/// Forwards what one side of a connection sends to the other side.
private final class Forwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peer: any Channel
    private let service: SystemService
    private let conduct: FaultyNetwork.Conduct
    private let isAnswer: Bool
    /// When what came last arrives; nothing may overtake it.
    private var latest = NIODeadline.distantPast
    private var readBytes = 0
    private var isTorn = false

    init(to peer: any Channel, of service: SystemService, _ conduct: FaultyNetwork.Conduct, isAnswer: Bool) {
        self.peer = peer
        self.service = service
        self.conduct = conduct
        self.isAnswer = isAnswer
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { context.read() }
    }

    func channelActive(context: ChannelHandlerContext) { context.read() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let behaviour = conduct.behaviour(of: service)
        readBytes += buffer.readableBytes
        if isTorn || (behaviour.losesAnswers && isAnswer) { return lose(context) }
        if Int.random(in: 0..<1000) < behaviour.resetsPerThousand { return reset(context) }
        latest = max(latest, NIODeadline.now() + TimeAmount(behaviour.latency))
        guard latest > .now() else {
            peer.writeAndFlush(buffer, promise: nil)
            return
        }
        let peer = peer
        context.eventLoop.scheduleTask(deadline: latest) { peer.writeAndFlush(buffer, promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        defer { readBytes = 0 }
        guard let rate = conduct.behaviour(of: service).bytesPerSecond else {
            // What the other side does not take yet is not read either.
            if peer.isWritable { return context.read() }
            return readLater(context, after: .milliseconds(2))
        }
        readLater(context, after: .milliseconds(Int64(readBytes * 1000 / rate)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        let peer = peer
        // What is still on its way arrives first.
        context.eventLoop.scheduleTask(deadline: max(latest, .now())) { peer.close(promise: nil) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func readLater(_ context: ChannelHandlerContext, after delay: TimeAmount) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: delay) {
            let (forwarder, context) = bound.value
            guard context.channel.isActive else { return }
            if forwarder.peer.isWritable { return context.read() }
            forwarder.readLater(context, after: .milliseconds(2))
        }
    }

    private func reset(_ context: ChannelHandlerContext) {
        for channel in [context.channel, peer] { FaultyNetwork.reset(channel) }
    }

    /// Lets what came be lost, and everything after it; the connection breaks when the network is whole again.
    private func lose(_ context: ChannelHandlerContext) {
        guard !isTorn else { return }
        isTorn = true
        let sides = [context.channel, peer]
        conduct.torn.withLock { $0 += sides }
        // It may have become whole in this moment, without having seen this one.
        if !conduct.behaviour(of: service).losesAnswers { reset(context) }
    }
}
