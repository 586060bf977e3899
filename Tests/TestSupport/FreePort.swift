private import Glibc
private import Synchronization

/// Finds ports of the loopback interface that nothing listens on.
package enum FreePort {
    private static let taken = Mutex<Set<UInt16>>([])

    /// A free port below the kernel's range for outgoing connections, never the same one twice in a process.
    ///
    /// - Throws: `TestSupportError` with code `noResources` when none is found.
    package static func next() throws -> Int {
        for _ in 0..<500 {
            let port = UInt16.random(in: 12_000..<20_000)
            guard taken.withLock({ $0.insert(port).inserted }), isFree(port) else { continue }
            return Int(port)
        }
        throw TestSupportError(.noResources, "No free port was found between 12000 and 20000.")
    }

    /// True when the port can be bound right now.
    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
