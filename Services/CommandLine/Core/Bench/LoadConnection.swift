import Foundation
import Glibc

/// One keep-alive connection of the load: a request out, a response in, never two at once.
final class LoadConnection {
    let descriptor: Int32
    /// When the first byte of the request under way was sent.
    private(set) var sentAt = ContinuousClock.now
    private var reader = HTTPResponseReader()

    /// Connects to a host.
    ///
    /// - Throws: ``CommandLineError`` when nothing accepts the connection.
    init(host: String, port: Int) throws(CommandLineError) {
        descriptor = try Self.connected(host: host, port: port)
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit {
        close(descriptor)
    }

    /// Sends a whole request; one that does not fit the socket's buffer is waited for.
    func send(_ request: [UInt8]) throws(CommandLineError) {
        sentAt = .now
        var sent = 0
        while sent < request.count {
            let count = request.withUnsafeBytes { bytes in
                Glibc.send(
                    descriptor,
                    bytes.baseAddress?.advanced(by: sent),
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, milliseconds: 10_000)
            } else if errno != EINTR {
                throw Self.failure("the connection to the gateway broke while sending")
            }
        }
    }

    /// Reads what has arrived; nil when the response is not whole yet.
    func receive() throws(CommandLineError) -> HTTPResponseReader.Response? {
        try withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 1) { space throws(CommandLineError) in
            while true {
                let count = recv(descriptor, space.baseAddress, space.count, 0)
                if count > 0 {
                    reader.received(space[..<count])
                    return try reader.next()
                }
                if count == 0 {
                    throw CommandLineError(.unreachable, "the gateway closed a connection without an answer")
                }
                if errno == EAGAIN { return nil }
                if errno != EINTR { throw Self.failure("the connection to the gateway broke") }
            }
        }
    }

    /// Sends a request and waits for its response.
    func exchange(_ request: [UInt8]) throws(CommandLineError) -> HTTPResponseReader.Response {
        try send(request)
        while true {
            try wait(for: POLLIN, milliseconds: 10_000)
            if let response = try receive() { return response }
        }
    }

    private func wait(for events: Int32, milliseconds: Int32) throws(CommandLineError) {
        var entry = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
        let ready = poll(&entry, 1, milliseconds)
        guard ready > 0 || (ready < 0 && errno == EINTR) else {
            throw CommandLineError(.unreachable, "the gateway did not answer within \(milliseconds / 1_000) seconds")
        }
    }

    private static func connected(host: String, port: Int) throws(CommandLineError) -> Int32 {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0 else {
            throw CommandLineError(.unreachable, "the host \(host) is not known")
        }
        defer { freeaddrinfo(found) }
        var next = found
        while let address = next?.pointee {
            let descriptor = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            if descriptor >= 0, connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return descriptor }
            if descriptor >= 0 { close(descriptor) }
            next = address.ai_next
        }
        throw failure("no connection to \(host):\(port)")
    }

    private static func failure(_ what: String) -> CommandLineError {
        CommandLineError(.unreachable, "\(what): \(String(cString: strerror(errno)))")
    }
}
