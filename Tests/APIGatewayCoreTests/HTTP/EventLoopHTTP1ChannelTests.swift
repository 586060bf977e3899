import NIOCore
import NIOPosix
import Testing

@testable import APIGatewayCore

@Suite struct EventLoopHTTP1ChannelTests {
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
}
