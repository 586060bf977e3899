import NIOCore
import Synchronization
import TestSupport

/// Forwards what one side of a connection sends to the other side.
final class Forwarder: ChannelInboundHandler {
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
