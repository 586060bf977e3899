import HummingbirdCore
import Logging
import NIOCore
import NIOSSL

/// Runs tasks on the thread of an event loop.
///
/// A request is read, handled and answered there, without a change of threads between the connection and its handler,
/// which would cost more than handling it does.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// HTTP/1.1, perhaps under TLS, on the event loop of each connection.
struct EventLoopHTTP1Channel: ServerChildChannel {
    private let http1: HTTP1Channel
    private let tls: NIOSSLContext?

    init(
        responder: @escaping HTTPChannelHandler.Responder,
        configuration: HTTP1Channel.Configuration,
        tls: NIOSSLContext? = nil
    ) {
        http1 = HTTP1Channel(responder: responder, configuration: configuration)
        self.tls = tls
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<AcceptedConnection> {
        guard let tls else {
            return http1.setup(channel: channel, logger: logger).map(AcceptedConnection.init)
        }
        // It stands first: whatever else is in the pipeline, the limits on time and size among it, sees plain bytes.
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
        }
        .flatMap { http1.setup(channel: channel, logger: logger) }
        .map(AcceptedConnection.init)
    }

    func handle(value: AcceptedConnection, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await http1.handle(value: value.served(), logger: logger)
        }
    }
}

/// Does what a body asks for; that of a large body away from the event loops, whose other connections would wait for it.
func handling<Answer: Sendable>(
    _ body: [UInt8],
    _ work: @Sendable () async throws -> Answer
) async throws -> Answer {
    guard body.count > 64 * 1_024 else {
        return try await work()
    }
    return try await withTaskExecutorPreference(globalConcurrentExecutor, operation: work)
}
