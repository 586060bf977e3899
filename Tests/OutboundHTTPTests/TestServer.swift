import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server on loopback that reads requests byte by byte and does what a script says.
final class TestServer: Sendable {
    /// A request as it came.
    struct Request: Sendable {
        var method = ""
        var target = ""
        /// Names in lower case.
        var headers: [(name: String, value: String)] = []
        var body = ""

        func values(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
    }

    /// What to do about a request.
    enum Reaction: Sendable {
        /// Answer and keep the connection.
        case answer(Int, [String] = [], String = "")
        /// Write these bytes and wait for the client to go.
        case bytes(String)
        /// Write these bytes and close.
        case bytesThenClose(String)
        /// Write this head and then as much as the client takes.
        case endless(String)
    }

    typealias Script = @Sendable (Request) -> Reaction

    /// What was seen; shared with the connections, which begin before the server is known.
    final class Log: Sendable {
        struct Values: Sendable {
            var requests: [Request] = []
            var acceptedCount = 0
            var openCount = 0
            var sentBytes = 0
        }

        let values = Mutex(Values())
    }

    let host: String
    let port: Int
    private let log: Log

    fileprivate init(host: String, port: Int, log: Log) {
        self.host = host
        self.port = port
        self.log = log
    }

    var requests: [Request] { log.values.withLock { $0.requests } }
    var acceptedCount: Int { log.values.withLock { $0.acceptedCount } }
    var openCount: Int { log.values.withLock { $0.openCount } }
    var sentBytes: Int { log.values.withLock { $0.sentBytes } }

    /// The entry of the allow list for the server's address.
    var entry: String { "\(host):\(port)" }

    /// The URL of a path, under the server's address or under a name.
    func url(_ path: String = "/", scheme: String = "http", name: String? = nil) -> String {
        "\(scheme)://\(name ?? host):\(port)\(path)"
    }

    /// A server that is yet to run.
    static func plan(
        host: String = "127.0.0.1",
        port: Int = 0,
        tls: NIOSSLContext? = nil,
        script: @escaping Script
    ) -> Plan {
        Plan(host: host, port: port, tls: tls, script: script)
    }

    struct Plan: Sendable {
        let host: String
        let port: Int
        let tls: NIOSSLContext?
        let script: Script

        /// Runs the server for as long as the body takes.
        func run<Value>(_ body: (TestServer) async throws -> Value) async throws -> Value {
            let log = Log()
            let channel = try await listen(log)
            let server = TestServer(host: host, port: channel.localAddress?.port ?? 0, log: log)
            do {
                let value = try await body(server)
                try await channel.close()
                return value
            } catch {
                try? await channel.close()
                throw error
            }
        }

        private func listen(_ log: Log) async throws -> any Channel {
            try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { [tls, script] channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                        try pipeline.addHandler(ConnectionHandler(log: log, script: script))
                    }
                }
                .bind(host: host, port: port).get()
        }
    }
}

/// One connection of a test server.
private final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: TestServer.Log
    private let script: TestServer.Script
    private var received = ""

    init(log: TestServer.Log, script: @escaping TestServer.Script) {
        self.log = log
        self.script = script
    }

    func channelActive(context: ChannelHandlerContext) {
        log.values.withLock { values in
            values.acceptedCount += 1
            values.openCount += 1
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        log.values.withLock { $0.openCount -= 1 }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        while let request = nextRequest() {
            log.values.withLock { $0.requests.append(request) }
            react(script(request), context)
        }
    }

    private func react(_ reaction: TestServer.Reaction, _ context: ChannelHandlerContext) {
        switch reaction {
        case .answer(let status, let headers, let body):
            let fields = (headers + ["Content-Length: \(body.utf8.count)"]).joined(separator: "\r\n")
            write("HTTP/1.1 \(status) Test\r\n\(fields)\r\n\r\n\(body)", context)
        case .bytes(let text):
            write(text, context)
        case .bytesThenClose(let text):
            if !text.isEmpty { write(text, context) }
            context.close(promise: nil)
        case .endless(let head):
            write(head, context)
            pour(context)
        }
    }

    /// Writes for as long as the other side reads.
    private func pour(_ context: ChannelHandlerContext) {
        let piece = String(repeating: "x", count: 16 << 10)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        log.values.withLock { $0.sentBytes += piece.utf8.count }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: piece))).whenSuccess {
            let (handler, context) = bound.value
            handler.pour(context)
        }
    }

    private func write(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    private func nextRequest() -> TestServer.Request? {
        guard let end = received.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = received[..<end.lowerBound].split(separator: "\r\n")
        let first = lines.first?.split(separator: " ") ?? []
        guard first.count == 3 else { return nil }
        var request = TestServer.Request(method: String(first[0]), target: String(first[1]))
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            request.headers.append((parts[0].lowercased(), parts[1].trimmed))
        }
        let length = request.values("content-length").first.flatMap { Int($0) } ?? 0
        let rest = received[end.upperBound...].utf8
        guard rest.count >= length else { return nil }
        request.body = String(Substring(rest.prefix(length)))
        received = String(Substring(rest.dropFirst(length)))
        return request
    }
}

extension Substring {
    /// The text without the spaces around it.
    fileprivate var trimmed: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
