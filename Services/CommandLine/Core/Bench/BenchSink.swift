import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP server that answers every request at once: the outside that the measured steps reach.
struct BenchSink: Sendable {
    /// Where it listens, as `host:port`.
    let address: String
    private let channel: any Channel

    /// Listens.
    ///
    /// - Parameter address: The `host:port` at which the engine reaches it; port 0 is any free one.
    /// - Returns: The sink, with the port that it has.
    /// - Throws: ``CommandLineError`` where that is no address, or it cannot listen there.
    static func start(at address: String) async throws(CommandLineError) -> BenchSink {
        guard let (host, port) = parts(of: address) else {
            throw CommandLineError(.system, "the sink's address \(address) is not host:port")
        }
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 1_024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                        try channel.pipeline.syncOperations.addHandler(BenchSinkHandler())
                    }
                }
                .bind(host: host, port: port).get()
            return BenchSink(address: "\(host):\(channel.localAddress?.port ?? port)", channel: channel)
        } catch {
            throw CommandLineError(.system, "the sink cannot listen on \(address): \(error)")
        }
    }

    /// Listens no more.
    func stop() async {
        try? await channel.close()
    }

    /// Host and port of `host:port`; nil for anything else.
    static func parts(of address: String) -> (host: String, port: Int)? {
        let parts = address.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let port = UInt16(parts[1]) else { return nil }
        return (String(parts[0]), Int(port))
    }
}

/// Reads a request to its end and answers it.
private final class BenchSinkHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let body = #"{"accepted":true}"#
    private var keepsAlive = true

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): keepsAlive = head.isKeepAlive
        case .body: break
        case .end: answer(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ context: ChannelHandlerContext) {
        let headers: HTTPHeaders = [
            "Content-Type": "application/json", "Content-Length": String(Self.body.utf8.count),
            "Connection": keepsAlive ? "keep-alive" : "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: Self.body)))), promise: nil)
        let end = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        guard !keepsAlive else { return }
        let channel = context.channel
        end.whenComplete { _ in channel.close(promise: nil) }
    }
}
