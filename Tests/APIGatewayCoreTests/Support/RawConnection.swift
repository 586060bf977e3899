import NIOCore
import NIOPosix
import NIOSSL

/// A plain TCP connection, for what no HTTP client would send.
enum RawConnection {
    /// Sends texts and reads until the server closes, which may be before everything was sent.
    ///
    /// - Parameters:
    ///   - port: On loopback.
    ///   - parts: What is sent, one after the other.
    ///   - isCut: Whether nothing more can be sent afterwards.
    ///   - tls: What encrypts the connection; nil leaves it plain.
    /// - Returns: What came back.
    /// - Throws: An error of the network where no connection is made.
    static func exchange(
        port: Int,
        parts: [String],
        isCut: Bool = false,
        tls: NIOSSLContext? = nil
    ) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(to: SocketAddress(ipAddress: "127.0.0.1", port: port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for part in parts {
                        // The server may have answered, and read no further.
                        guard (try? await outbound.write(ByteBuffer(string: part))) != nil else { return }
                    }
                    if isCut { outbound.finish() }
                }
                var answer = ByteBuffer()
                do {
                    for try await part in inbound {
                        answer.writeImmutableBuffer(part)
                    }
                } catch is IOError {
                    // A connection that is reset has ended, too.
                }
                group.cancelAll()
                return String(buffer: answer)
            }
        }
    }

    /// Sends a text and reads until the server closes.
    static func exchange(port: Int, _ text: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: SocketAddress(ipAddress: "127.0.0.1", port: port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ByteBuffer()
            for try await part in inbound {
                answer.writeImmutableBuffer(part)
            }
            return String(buffer: answer)
        }
    }
}
