import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import APIGatewayCore

@Suite(.timeLimit(.minutes(1))) struct EventLoopHTTP1ChannelTests {
    @Test(arguments: [(0, true), (64 * 1_024, true), (64 * 1_024 + 1, false)])
    func aLargeBodyLeavesTheEventLoop(bytes: Int, staysOnLoop: Bool) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let body = [UInt8](repeating: 0, count: bytes)
        let (before, inside, after) = try await withTaskExecutorPreference(EventLoopExecutor(eventLoop)) {
            let before = eventLoop.inEventLoop
            let inside = try await handling(body) { await Self.isOn(eventLoop) }
            return (before, inside, eventLoop.inEventLoop)
        }
        #expect(before && after)
        #expect(inside == staysOnLoop)
    }

    private static func isOn(_ eventLoop: any EventLoop) async -> Bool {
        await Task.yield()
        return eventLoop.inEventLoop
    }

    @Test func aConnectionThatNobodyTakesIsClosed() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let listener = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        try await Self.dropped(port: try #require(listener.localAddress?.port)).get()
        try await listener.close()
    }

    /// Makes a connection, drops it as a listener does that closes, and returns what says that it is closed.
    private static func dropped(port: Int) async throws -> EventLoopFuture<Void> {
        let http1 = EventLoopHTTP1Channel(responder: { _, _, _ in }, configuration: .init())
        let connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                http1.setup(channel: channel, logger: Logger(label: "test"))
            }
        #expect(connection.channel.isActive)
        return connection.channel.closeFuture
    }
}
