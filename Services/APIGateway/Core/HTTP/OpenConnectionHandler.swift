import NIOCore

/// Counts a connection as open, and gives its client time to end it when the server stops.
///
/// A server that stops tells its connections so, and one without a request would be closed at once, perhaps just when
/// its client sends one. So that is told later: until then every answer asks the client to close.
final class OpenConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let drain: ConnectionDrain
    private let patience: TimeAmount
    private var end: Scheduled<Void>?

    /// - Parameters:
    ///   - drain: Counts the connections.
    ///   - patience: How long the client may take to end the connection.
    init(drain: ConnectionDrain, patience: TimeAmount) {
        self.drain = drain
        self.patience = patience
    }

    func handlerAdded(context: ChannelHandlerContext) {
        drain.connectionOpened()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end?.cancel()
        end = nil
        drain.connectionClosed()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        guard end == nil else {
            return
        }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        end = context.eventLoop.scheduleTask(in: patience) {
            bound.value.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
    }
}
