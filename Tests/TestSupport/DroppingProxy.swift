private import Foundation
private import Synchronization

/// Stands between a client and the server, and loses the answer to a marked message, or the message.
///
/// What the client sends is forwarded, until a piece with the mark comes. Then either the next thing that the server says
/// is thrown away (the server has done its work, and the client never hears of it), or the piece itself is; both sides are
/// closed. The client's next connections go on until they send the mark in their turn.
package final class DroppingProxy: Sendable {
    /// What is lost.
    package enum Loss: Sendable {
        case answer
        case message
    }

    /// The loopback port that it listens to.
    package let port: Int

    private let listener: Int32
    private let upstreamPort: Int
    private let mark: [UInt8]
    private let loss: Loss
    private let rest: Mutex<Int>

    /// - Parameters:
    ///   - upstreamPort: the server's loopback port.
    ///   - mark: the bytes that a marked piece has.
    ///   - loss: what is lost of a marked exchange.
    ///   - times: how many marked exchanges are lost; those after them are forwarded like all others.
    /// - Throws: `TestSupportError` when it cannot listen.
    package init(upstreamPort: Int, mark: String, losing loss: Loss = .answer, times: Int = .max) throws {
        self.upstreamPort = upstreamPort
        self.mark = Array(mark.utf8)
        self.loss = loss
        rest = Mutex(times)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, length) == 0, listen(listener, 16) == 0 else { return Int32(-1) }
                return getsockname(listener, address, &length)
            }
        }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        guard status == 0 else { throw TestSupportError(.noResources, "the proxy cannot listen: errno \(errno)") }
        Thread.detachNewThread { self.acceptAll() }
    }

    /// Forwards everything from now on.
    package func stopLosing() { rest.withLock { $0 = 0 } }

    /// Accepts no more connections.
    package func close() {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(port: upstreamPort)
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard status == 0 else { break }
            let link = Link(client: client, server: server)
            // The descriptors stay open until the process ends: two threads use them, and a test has few.
            Thread.detachNewThread { self.sendUp(link) }
            Thread.detachNewThread { self.sendDown(link) }
        }
        Foundation.close(listener)
    }

    /// The two sides of one connection.
    private final class Link: Sendable {
        let client: Int32
        let server: Int32
        let isMarked = Atomic(false)

        init(client: Int32, server: Int32) {
            (self.client, self.server) = (client, server)
        }

        func shutDown() {
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
        }
    }

    private func sendUp(_ link: Link) {
        pump(from: link.client, to: link.server, of: link) { piece in
            guard piece.firstRange(of: mark) != nil, takeOne() else { return true }
            link.isMarked.store(true, ordering: .sequentiallyConsistent)
            return loss == .answer
        }
    }

    private func sendDown(_ link: Link) {
        pump(from: link.server, to: link.client, of: link) { _ in
            !link.isMarked.load(ordering: .sequentiallyConsistent)
        }
    }

    private func takeOne() -> Bool {
        rest.withLock { rest in
            guard rest > 0 else { return false }
            rest -= 1
            return true
        }
    }

    /// Forwards what comes until an end is closed or a piece may not pass, and closes both.
    private func pump(
        from source: Int32,
        to target: Int32,
        of link: Link,
        while mayPass: (ArraySlice<UInt8>) -> Bool
    ) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        defer { link.shutDown() }
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0, mayPass(buffer[..<count]) else { return }
            guard send(target, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
        }
    }
}
