import NIOCore
import NIOHTTP1
import NIOSSL

/// Lets a request's head pass to the encoder only through its gate, and with its true path.
///
/// A request whose sender has given up closes the connection instead, and nothing of it is written.
final class SendGateHandler: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private let gates: SendGates
    private var isShut = false

    init(gates: SendGates) { self.gates = gates }

    /// Puts a handler behind the encoder of a new connection, once it is seen to lead to the right place.
    ///
    /// The address was chosen by the caller and pinned, and TLS has verified the certificate; that the socket has the
    /// address, and the certificate the name, is looked at all the same, since all depends on it.
    static func install(on channel: any Channel, gates: SendGates, key: ClientPool.Key) -> EventLoopFuture<Void> {
        let result = channel.eventLoop.makeCompletedFuture {
            guard channel.isActive else { throw ChannelError.ioOnClosedChannel }
            guard let remote = channel.remoteAddress, remote.port == key.origin.port,
                remote.ipAddress.flatMap(IPAddress.init) == key.address
            else { throw MisdirectedConnection() }
            let pipeline = channel.pipeline.syncOperations
            if case .name(let name) = key.origin.host, key.origin.scheme == .https {
                guard let certificate = try pipeline.nioSSL_peerCertificate(),
                    CertificateNames.contain(name, in: certificate)
                else { throw MisnamedCertificate() }
            }
            let encoder = try pipeline.handler(type: HTTPRequestEncoder.self)
            try pipeline.addHandler(SendGateHandler(gates: gates), position: .after(encoder))
        }
        result.whenFailure { _ in channel.close(promise: nil) }
        return result
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isShut else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard case .head(var head) = unwrapOutboundIn(data) else {
            context.write(data, promise: promise)
            return
        }
        guard let gate = gates.gate(at: head.uri), gate.open() else {
            isShut = true
            promise?.fail(ChannelError.ioOnClosedChannel)
            context.close(promise: nil)
            return
        }
        head.uri = gate.target
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    /// A connection that leads elsewhere than it should, which cannot happen.
    struct MisdirectedConnection: Error {}

    /// A certificate that does not have the host's name among its DNS names.
    struct MisnamedCertificate: Error, CustomStringConvertible {
        var description: String { "the certificate is for another name" }
    }
}
