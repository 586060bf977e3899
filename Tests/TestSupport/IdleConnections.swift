private import Glibc

/// TCP connections to a port on loopback whose clients read nothing, and say nothing or only one thing.
package final class IdleConnections: Sendable {
    private let descriptors: [Int32]

    /// Opens connections; those that the kernel refuses are left out.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - port: where to.
    ///   - text: what each of them sends, as far as the kernel takes it.
    package init(_ count: Int, port: Int, saying text: String = "") {
        descriptors = (0..<count).compactMap { _ in Self.connect(port) }
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return }
        for descriptor in descriptors {
            _ = send(descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }

    /// How many were opened.
    package var count: Int { descriptors.count }

    private static func connect(_ port: Int) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        // A small window, so that what is not read soon stands in the server.
        var window: Int32 = 4_096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
        }
        guard outcome == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
