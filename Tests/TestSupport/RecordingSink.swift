private import Foundation
private import NIOCore
private import NIOHTTP1
private import NIOPosix
private import Synchronization

/// An HTTP server on loopback that notes every request: the outside that a run's effects reach.
package final class RecordingSink: Sendable {
    /// A request as it came.
    package struct Call: Hashable, Sendable {
        package var method: String
        package var path: String
        package var idempotencyKey: String?
        package var authorization: String?
        package var body: String
        /// Every field, by its name in lower case.
        package var headers: [String: String] = [:]

        package init(
            method: String,
            path: String,
            idempotencyKey: String? = nil,
            authorization: String? = nil,
            body: String,
            headers: [String: String] = [:]
        ) {
            self.method = method
            self.path = path
            self.idempotencyKey = idempotencyKey
            self.authorization = authorization
            self.body = body
            self.headers = headers
        }
    }

    /// What a call is answered.
    package enum Reaction: Sendable {
        case answer(Int, body: String = "{}", headers: [String: String] = ["content-type": "application/json"])
        /// After a while.
        case late(Duration, Int)
        /// Once a gate is open.
        case held(Gate, Int)
        /// The connection is closed without an answer.
        case drop
    }

    /// Holds calls back until it is opened.
    package final class Gate: Sendable {
        private struct State {
            var isOpen = false
            var waiting: [@Sendable () -> Void] = []
        }

        private let state = Mutex(State())

        package init() {}

        /// Answers the calls that wait, and those to come at once.
        package func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for answer in waiting { answer() }
        }

        fileprivate func pass(_ answer: @escaping @Sendable () -> Void) {
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(answer) }
                return state.isOpen
            }
            if isOpen { answer() }
        }
    }

    /// Decides about a call; it is told how many calls with the same key came before.
    package typealias Script = @Sendable (_ call: Call, _ earlier: Int) -> Reaction

    /// The port on 127.0.0.1.
    package let port: Int

    private let channel: any Channel
    private let log: Log

    /// Everything that came so far.
    package var calls: [Call] { log.calls.withLock { $0 } }

    /// The base URL, on loopback.
    package var url: String { "http://127.0.0.1:\(port)" }

    /// Runs a sink for as long as the body takes.
    ///
    /// - Parameters:
    ///   - host: Where it listens; `::` is every address that the machine has.
    ///   - script: What it answers.
    ///   - body: Is lent the sink.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or why the sink cannot listen.
    package static func with<Value>(
        on host: String = "127.0.0.1",
        _ script: @escaping Script = { _, _ in .answer(200) },
        _ body: (RecordingSink) async throws -> Value
    ) async throws -> Value {
        let log = Log(script)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(SinkHandler(log))
                }
            }
            .bind(host: host, port: 0).get()
        let sink = RecordingSink(channel, log)
        do {
            let value = try await body(sink)
            try await channel.close()
            return value
        } catch {
            try? await channel.close()
            throw error
        }
    }

    private init(_ channel: any Channel, _ log: Log) {
        self.channel = channel
        self.log = log
        port = channel.localAddress?.port ?? 0
    }
}

/// What a sink has seen.
private final class Log: Sendable {
    let calls = Mutex<[RecordingSink.Call]>([])
    private let script: RecordingSink.Script

    init(_ script: @escaping RecordingSink.Script) {
        self.script = script
    }

    func received(_ call: RecordingSink.Call) -> RecordingSink.Reaction {
        let earlier = calls.withLock { calls in
            defer { calls.append(call) }
            return calls.count { $0.idempotencyKey == call.idempotencyKey && call.idempotencyKey != nil }
        }
        return script(call, earlier)
    }
}

private final class SinkHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let log: Log
    private var head: HTTPRequestHead?
    private var body = ""

    init(_ log: Log) {
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ""
        case .body(let buffer):
            body += String(buffer: buffer)
        case .end:
            guard let head else { return }
            let call = RecordingSink.Call(
                method: head.method.rawValue,
                path: head.uri,
                idempotencyKey: head.headers.first(name: "Idempotency-Key"),
                authorization: head.headers.first(name: "Authorization"),
                body: body,
                headers: Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { "\($0), \($1)" }
            )
            react(log.received(call), context)
        }
    }

    private func react(_ reaction: RecordingSink.Reaction, _ context: ChannelHandlerContext) {
        switch reaction {
        case .answer(let status, let body, let headers):
            answer(status, body, headers, context)
        case .late(let delay, let status):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: TimeAmount(delay)) {
                bound.value.0.answer(status, "{}", [:], bound.value.1)
            }
        case .held(let gate, let status):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            gate.pass {
                bound.eventLoop.execute { bound.value.0.answer(status, "{}", [:], bound.value.1) }
            }
        case .drop:
            context.close(promise: nil)
        }
    }

    private func answer(_ status: Int, _ body: String, _ headers: [String: String], _ context: ChannelHandlerContext) {
        var fields = HTTPHeaders(headers.map { ($0.key, $0.value) })
        fields.replaceOrAdd(name: "content-length", value: String(body.utf8.count))
        let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
