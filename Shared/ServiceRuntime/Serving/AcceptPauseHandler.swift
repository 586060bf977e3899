import Glibc
package import Logging
package import NIOCore

/// Lets a listener rest for a moment when the system has no descriptor or memory for another connection.
///
/// After such an error NIO leaves the listener registered with its selector, so that it tries again without a pause, with
/// all of a processor, for as long as somebody waits to be taken.
package final class AcceptPauseHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = NIOAny

    /// How long the listener rests.
    private static let pause = TimeAmount.milliseconds(200)
    /// How often the log is told while it goes on.
    private static let silence = TimeAmount.seconds(60)

    private let logger: Logger
    private var toldAt: NIODeadline?

    private init(logger: Logger) {
        self.logger = logger
    }

    /// Puts a handler before all others of a listening channel.
    package static func install(on channel: any Channel, logger: Logger) {
        channel.eventLoop.execute {
            // A listener that is closed by now needs none.
            try? channel.pipeline.syncOperations.addHandler(AcceptPauseHandler(logger: logger), position: .first)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) {
            rest(context.channel, error)
        }
        context.fireErrorCaught(error)
    }

    private func rest(_ channel: any Channel, _ error: IOError) {
        let now = NIODeadline.now()
        if toldAt.map({ $0 + Self.silence <= now }) ?? true {
            toldAt = now
            logger.warning("no further connection can be taken for now", metadata: ["error": "\(error)"])
        }
        channel.setOption(.autoRead, value: false).whenComplete { _ in
            channel.eventLoop.scheduleTask(in: Self.pause) {
                channel.setOption(.autoRead, value: true)
            }
        }
    }
}
