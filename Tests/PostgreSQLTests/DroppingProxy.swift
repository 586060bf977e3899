import Glibc

@testable import PostgreSQL

/// Stands between a client and the server, and loses the answer to a marked message.
///
/// What the client sends is forwarded. Once a piece with the mark has been, the next thing that the server says is
/// thrown away and both sides are closed: the server has done its work, and the client never hears of it.
final class DroppingProxy: Sendable {
    let port: Int
    private let listener: Int32
    private let upstreamPort: Int
    private let mark: [UInt8]
    private let isEnded = Flag()

    init(upstreamPort: Int, mark: String) throws {
        self.upstreamPort = upstreamPort
        self.mark = Array(mark.utf8)
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
        guard status == 0 else { throw PostgresError(.system, "the proxy cannot listen: errno \(errno)") }
        guard NativeThread.detach(name: "proxy", { self.acceptAll() }) else {
            throw PostgresError(.system, "no thread for the proxy")
        }
    }

    func close() {
        isEnded.set()
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
        while !isEnded.isSet {
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
            let isMarked = Flag()
            // The descriptors stay open until the process ends: two threads use them, and a test has few.
            _ = NativeThread.detach(name: "proxy-up") { self.pump(client, server, isMarked, isUpstream: true) }
            _ = NativeThread.detach(name: "proxy-down") { self.pump(server, client, isMarked, isUpstream: false) }
        }
        Glibc.close(listener)
    }

    private func pump(_ source: Int32, _ target: Int32, _ isMarked: Flag, isUpstream: Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        defer {
            shutdown(source, Int32(SHUT_RDWR))
            shutdown(target, Int32(SHUT_RDWR))
        }
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            if isUpstream, buffer[..<count].firstRange(of: mark) != nil { isMarked.set() }
            if !isUpstream, isMarked.isSet { return }
            guard send(target, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
        }
    }
}
