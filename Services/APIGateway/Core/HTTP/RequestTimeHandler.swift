import Contracts
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Ends requests whose bodies arrive too slowly (408) and such as are no HTTP (400), with a problem document, and
/// connections whose client takes nothing of its answer.
///
/// A request that was answered early is read to its end within the same time and a bounded size, so that its sender sees
/// the answer; then the connection is closed.
final class RequestTimeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How much of an unwanted body is read.
    static let longestRest = 4 * 1_024 * 1_024

    private let patience: TimeAmount
    private var isReadingBody = false
    private var bodyBytes = 0
    private var answersOwed = 0
    private var hasBegunAnswer = false
    private var isEnding = false
    private var language = Language.english
    private var timer: Scheduled<Void>?
    private var stall: Scheduled<Void>?

    /// - Parameter patience: How long a body may take, or a client take nothing of what waits for it.
    init(patience: TimeAmount) {
        self.patience = patience
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnding else {
            return
        }
        switch unwrapInboundIn(data) {
        case .head(let head):
            isReadingBody = true
            bodyBytes = 0
            answersOwed += 1
            language = Language(acceptLanguage: head.headerFields[.acceptLanguage])
        case .body(let buffer):
            bodyBytes += buffer.readableBytes
            if hasBegunAnswer || answersOwed == 0, bodyBytes > Self.longestRest {
                isEnding = true
                context.close(promise: nil)
                return
            }
        case .end:
            isReadingBody = false
            timer?.cancel()
            timer = nil
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // A request that arrives in one piece, as nearly all do, costs no timer.
        if isReadingBody, timer == nil {
            schedule(context)
        }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // The request was answered here, and whoever has read its body in vain comes too late.
        guard !isEnding else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head: hasBegunAnswer = true
        case .body: break
        case .end:
            hasBegunAnswer = false
            answersOwed -= 1
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if !context.channel.isWritable {
            watch(context, unsent: unsentBytes(context))
        }
        context.fireChannelWritabilityChanged()
    }

    /// Closes the connection where nothing of what is unsent has gone out when the time has passed.
    private func watch(_ context: ChannelHandlerContext, unsent: Int) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        stall = context.eventLoop.scheduleTask(in: patience) {
            let (handler, context) = bound.value
            let rest = handler.unsentBytes(context)
            guard rest < unsent else {
                return context.close(promise: nil)
            }
            handler.watch(context, unsent: rest)
        }
    }

    /// How much of the answers the kernel has not taken yet.
    private func unsentBytes(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError, !isEnding else {
            context.fireErrorCaught(error)
            return
        }
        end(context, with: error == .headerOverflow ? Self.headersTooLarge : GatewayProblem(.invalidRequest))
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        cancelTimers()
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancelTimers()
        if !isEnding { failBody(context) }
        context.fireChannelInactive()
    }

    private func cancelTimers() {
        timer?.cancel()
        timer = nil
        stall?.cancel()
        stall = nil
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: patience) {
            let (handler, context) = bound.value
            handler.timer = nil
            if handler.isReadingBody {
                handler.end(context, with: GatewayProblem(.requestTimeout))
            }
        }
    }

    /// A body that has not come whole must not end for its reader as one that has: the end of the connection alone would.
    private func failBody(_ context: ChannelHandlerContext) {
        if isReadingBody { context.fireErrorCaught(BodyCutShort()) }
    }

    /// The connection, or the patience, has ended before a body.
    private struct BodyCutShort: Error {}

    /// Answers with a problem where no answer has begun, and closes the connection.
    private func end(_ context: ChannelHandlerContext, with problem: GatewayProblem) {
        guard !isEnding else {
            return
        }
        isEnding = true
        failBody(context)
        // An earlier request's answer, or the begun one of this request, cannot be mixed with another.
        guard !hasBegunAnswer, answersOwed <= 1, answersOwed == 1 || !isReadingBody else {
            context.close(promise: nil)
            return
        }
        let document = problem.document(language: language, requestID: nil)
        var headers = ResponseHeaders.problem
        headers[.contentLanguage] = language.tag
        headers[.contentLength] = String(document.count)
        headers[.connection] = "close"
        let head = HTTPResponse(status: HTTPResponse.Status(code: problem.status), headerFields: headers)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: document))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            bound.value.close(promise: nil)
        }
    }

    private static let headersTooLarge = GatewayProblem(
        .tooLarge,
        Sentence("The headers are larger than the limit.", "Las cabeceras superan el límite de tamaño.")
    )
}
