private import Foundation
private import NIOCore
private import NIOPosix
private import NIOSSL
private import Synchronization

/// An SMTP server on loopback that notes every message: the relay that a run's mails go to.
///
/// It speaks for itself, RFC 5321 as far as a submission needs it; a script has the say wherever it wants to.
package final class ScriptedRelay: Sendable {
    /// A message that it has taken.
    package struct Message: Hashable, Sendable {
        package var sender = ""
        package var recipients: [String] = []
        /// As it was sent, with the dots taken off again.
        package var bytes: [UInt8] = []
        package var isEncrypted = false
        /// Who had logged in, as `user:password`.
        package var login: String?

        package var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// When a script is asked.
    package enum Moment: Hashable, Sendable {
        case greeting
        /// A line, such as `RCPT TO:<a@b.org>`.
        case command(String)
        /// The whole message is there.
        case message
    }

    /// What happens instead of what the server would say.
    package enum Reaction: Sendable {
        case reply(String)
        /// The connection is closed.
        case drop
        /// Nothing is ever said.
        case stall
    }

    /// How connections are encrypted.
    package enum Encryption: Sendable {
        case none
        case startTLS(TestAuthority)
        case implicit(TestAuthority)
    }

    /// Decides about a moment, told how many messages have been taken; nil leaves it to the server.
    package typealias Script = @Sendable (_ moment: Moment, _ taken: Int) -> Reaction?

    /// The port on 127.0.0.1.
    package let port: Int

    private let channel: any Channel
    private let log: RelayLog

    /// The messages that it has answered with 250.
    package var messages: [Message] { log.state.withLock { $0.messages } }

    /// Every line that was sent to it outside of messages.
    package var commands: [String] { log.state.withLock { $0.commands } }

    /// Whether a whole message has come, whatever it was answered.
    package var hasWholeMessage: Bool { log.state.withLock { $0.hasWholeMessage } }

    /// Runs a relay for as long as the body takes.
    ///
    /// - Parameters:
    ///   - encryption: How connections are encrypted.
    ///   - login: The `user:password` without which it takes nothing; nil takes everything.
    ///   - script: What it does differently.
    ///   - body: Is lent the relay.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or why the relay cannot listen.
    package static func with<Value>(
        _ encryption: Encryption = .none,
        login: String? = nil,
        _ script: @escaping Script = { _, _ in nil },
        _ body: (ScriptedRelay) async throws -> Value
    ) async throws -> Value {
        let tls = try encryption.authority.map { authority in
            let certificates = try NIOSSLCertificate.fromPEMFile(authority.certificateFile).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: authority.keyFile, format: .pem)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(certificateChain: certificates, privateKey: .privateKey(key))
            )
        }
        let log = RelayLog(script)
        let isImplicit = encryption.isImplicit
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if isImplicit, let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.addHandler(RelayHandler(log, login: login, tls: tls, isEncrypted: isImplicit))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let relay = ScriptedRelay(channel, log)
        do {
            let value = try await body(relay)
            try await channel.close()
            return value
        } catch {
            try? await channel.close()
            throw error
        }
    }

    private init(_ channel: any Channel, _ log: RelayLog) {
        self.channel = channel
        self.log = log
        port = channel.localAddress?.port ?? 0
    }
}

extension ScriptedRelay.Encryption {
    fileprivate var authority: TestAuthority? {
        switch self {
        case .none: nil
        case .startTLS(let authority), .implicit(let authority): authority
        }
    }

    fileprivate var isImplicit: Bool {
        switch self {
        case .none, .startTLS: false
        case .implicit: true
        }
    }
}

/// What a relay has seen.
private final class RelayLog: Sendable {
    struct State {
        var messages: [ScriptedRelay.Message] = []
        var commands: [String] = []
        var hasWholeMessage = false
    }

    let state = Mutex(State())
    private let script: ScriptedRelay.Script

    init(_ script: @escaping ScriptedRelay.Script) {
        self.script = script
    }

    func reaction(_ moment: ScriptedRelay.Moment) -> ScriptedRelay.Reaction? {
        let taken = state.withLock { state in
            switch moment {
            case .greeting: break
            case .command(let line): state.commands.append(line)
            case .message: state.hasWholeMessage = true
            }
            return state.messages.count
        }
        return script(moment, taken)
    }

    func taken(_ message: ScriptedRelay.Message) {
        state.withLock { $0.messages.append(message) }
    }
}

private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: RelayLog
    private let login: String?
    private let tls: NIOSSLContext?
    private var isEncrypted: Bool
    private var received: [UInt8] = []
    private var message: ScriptedRelay.Message
    /// Whether the lines are those of a message.
    private var isInMessage = false
    private var isAwaitingCredentials = false
    private var isStalled = false

    init(_ log: RelayLog, login: String?, tls: NIOSSLContext?, isEncrypted: Bool) {
        self.log = log
        self.login = login
        self.tls = tls
        self.isEncrypted = isEncrypted
        message = ScriptedRelay.Message(isEncrypted: isEncrypted)
    }

    func channelActive(context: ChannelHandlerContext) {
        react(log.reaction(.greeting), context) { self.say("220 relay.test ESMTP", context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytesView
        while !isStalled, let end = received.firstRange(of: [13, 10]) {
            let line = Array(received[..<end.lowerBound])
            received.removeSubrange(..<end.upperBound)
            if isInMessage {
                messageLine(line, context)
            } else if isAwaitingCredentials {
                judge(String(decoding: line, as: UTF8.self), context)
            } else {
                command(line, context)
            }
        }
    }

    private func messageLine(_ line: [UInt8], _ context: ChannelHandlerContext) {
        guard line == [UInt8(ascii: ".")] else {
            message.bytes += line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]
            message.bytes += [13, 10]
            return
        }
        isInMessage = false
        react(log.reaction(.message), context) {
            self.log.taken(self.message)
            self.say("250 2.0.0 Taken", context)
        }
        message.bytes = []
        message.recipients = []
    }

    private func command(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        let line = String(decoding: bytes, as: UTF8.self)
        react(log.reaction(.command(line)), context) {
            switch line.prefix(while: { $0 != " " }).uppercased() {
            case "EHLO": self.say(self.extensions, context)
            case "HELO", "RSET", "NOOP": self.say("250 Well", context)
            case "STARTTLS": self.encrypt(context)
            case "AUTH": self.logIn(line, context)
            case "MAIL":
                guard self.login == nil || self.message.login != nil else {
                    self.say("530 5.7.0 Who are you?", context)
                    return
                }
                self.message.sender = Self.path(line)
                self.say("250 2.1.0 Well", context)
            case "RCPT":
                self.message.recipients.append(Self.path(line))
                self.say("250 2.1.5 Well", context)
            case "DATA":
                self.isInMessage = true
                self.say("354 Go on", context)
            case "QUIT":
                self.say("221 2.0.0 Farewell", context)
                context.close(promise: nil)
            default: self.say("500 5.5.1 What?", context)
            }
        }
    }

    private var extensions: String {
        var lines = ["relay.test", "8BITMIME", "SIZE 10000000"]
        if tls != nil, !isEncrypted { lines.append("STARTTLS") }
        if login != nil { lines.append("AUTH PLAIN LOGIN GSSAPI") }
        return lines.enumerated().map { "250\($0.offset == lines.count - 1 ? " " : "-")\($0.element)" }
            .joined(separator: "\r\n")
    }

    private func encrypt(_ context: ChannelHandlerContext) {
        guard let tls else {
            say("502 5.5.1 Not here", context)
            return
        }
        say("220 2.0.0 Ready", context)
        // What came before the handshake was not encrypted, and is not believed.
        received = []
        isEncrypted = true
        message.isEncrypted = true
        try? context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
    }

    /// `AUTH PLAIN`, whose credentials come with it or in the next line.
    private func logIn(_ line: String, _ context: ChannelHandlerContext) {
        let words = line.split(separator: " ")
        guard words.count > 1, words[1] == "PLAIN" else {
            say("504 5.5.4 Not this way", context)
            return
        }
        guard words.count > 2 else {
            isAwaitingCredentials = true
            say("334 ", context)
            return
        }
        judge(String(words[2]), context)
    }

    private func judge(_ credentials: String, _ context: ChannelHandlerContext) {
        isAwaitingCredentials = false
        let parts = (Data(base64Encoded: credentials) ?? Data()).split(separator: 0, omittingEmptySubsequences: false)
        let stated = parts.suffix(2).map { String(decoding: $0, as: UTF8.self) }.joined(separator: ":")
        guard stated == login else {
            say("535 5.7.8 No", context)
            return
        }
        message.login = stated
        say("235 2.7.0 Well", context)
    }

    // MARK: - Saying

    private func react(
        _ reaction: ScriptedRelay.Reaction?,
        _ context: ChannelHandlerContext,
        otherwise: () -> Void
    ) {
        switch reaction {
        case .none: otherwise()
        case .reply(let text): say(text, context)
        case .drop:
            isStalled = true
            context.close(promise: nil)
        case .stall: isStalled = true
        }
    }

    private func say(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text + "\r\n")), promise: nil)
    }

    private static func path(_ line: String) -> String {
        guard let start = line.firstIndex(of: "<"), let end = line.firstIndex(of: ">"), start < end else { return "" }
        return String(line[line.index(after: start)..<end])
    }
}
