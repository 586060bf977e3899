/// A host and a port to listen on or to connect to.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A host name or an address; an IPv6 address without its brackets.
    package let host: String
    /// The port; 0 lets the system choose one.
    package let port: Int

    /// Makes an address from its parts.
    package init(host: String, port: UInt16) {
        self.host = host
        self.port = Int(port)
    }

    /// Reads `host:port` or `[IPv6]:port`.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        let isName = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x5B && $0 != 0x5D }
        guard !host.isEmpty, isName else { return nil }
        self.init(host: String(host), port: port)
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
