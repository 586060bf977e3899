import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL

extension OutboundError {
    /// Says what an error of the transport means.
    ///
    /// - Parameters:
    ///   - error: what the HTTP client threw.
    ///   - origin: where the request went.
    ///   - isUnsent: whether no byte of the request was written.
    ///   - status: the status that was answered already, if any.
    init(transport error: any Error, origin: OutboundURL.Origin, isUnsent: Bool, status: Int?) {
        let reason = Self.reason(error)
        if let known = Self.known(error, origin) {
            self.init(known.code, isUnsent ? .notSent : .unknown, known.message, status: status)
        } else if isUnsent {
            let message = "No connection to \(origin) was made: \(reason). The request was not sent."
            self.init(.connectionFailed, .notSent, message)
        } else {
            let message = "The connection to \(origin) broke before the answer was complete: \(reason)."
            self.init(.connectionLost, .unknown, message, status: status)
        }
    }

    private static func known(_ error: any Error, _ origin: OutboundURL.Origin) -> (code: Code, message: String)? {
        switch error {
        case let error as HTTPClientError:
            known(error, origin)
        case is CancellationError:
            (.cancelled, "The request to \(origin) was cancelled.")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError, is SendGateHandler.MisnamedCertificate:
            (.tlsFailed, "TLS with \(origin) failed: \(short(error)).")
        case let error as HTTPParserError where error != .invalidEOFState:
            (.invalidResponse, "\(origin) answered with what is no HTTP: \(short(error)).")
        default:
            nil
        }
    }

    private static func known(
        _ error: HTTPClientError,
        _ origin: OutboundURL.Origin
    ) -> (code: Code, message: String)? {
        switch error {
        case .cancelled: (.cancelled, "The request to \(origin) was cancelled.")
        case .deadlineExceeded: (.timedOut, "\(origin) did not answer in time.")
        case .getConnectionFromPoolTimeout: (.busy, "All connections to \(origin) are in use.")
        case .alreadyShutdown: (.shutDown, "The client is shut down.")
        default: nil
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError:
            reason(error)
        case ChannelError.connectTimeout:
            "it took too long"
        case HTTPParserError.invalidEOFState, ChannelError.ioOnClosedChannel, ChannelError.eof:
            "the other side closed it"
        case let error as IOError:
            errno(error.errnoCode)
        default:
            short(error)
        }
    }

    private static func reason(_ error: HTTPClientError) -> String {
        switch error {
        case .connectTimeout, .tlsHandshakeTimeout: "it took too long"
        case .remoteConnectionClosed: "the other side closed it"
        default: short(error)
        }
    }

    private static func errno(_ number: Int32) -> String {
        switch number {
        case ECONNREFUSED: "the connection was refused"
        case ECONNRESET, EPIPE: "the other side reset it"
        case ENETUNREACH, EHOSTUNREACH: "there is no way to the address"
        case ETIMEDOUT: "the other side did not react"
        default: "error \(number) of the system"
        }
    }

    /// A description on one line and not longer than a sentence, since parts of it may come from the other side.
    private static func short(_ error: any Error) -> String {
        String("\(error)".prefix(160).map { $0.isNewline ? " " : $0 })
    }
}
