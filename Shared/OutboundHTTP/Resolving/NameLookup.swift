import Glibc

/// The blocking call that resolves a name.
enum NameLookup {
    /// Every address of a name, each once, in the system's order of preference (RFC 6724).
    ///
    /// - Throws: ``OutboundError`` with code `name_not_found` or `resolution_failed`.
    static func addresses(of name: String) throws -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(name, nil, &hints, &list)
        guard result == 0 else { throw failure(result, name) }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next {
            if let address = address(entry.pointee), !addresses.contains(address) { addresses.append(address) }
            next = entry.pointee.ai_next
        }
        return addresses
    }

    /// The address lies behind family and port, and in `sockaddr_in6` behind four more bytes.
    private static func address(_ entry: addrinfo) -> IPAddress? {
        guard let pointer = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET where entry.ai_addrlen >= 8:
            return IPAddress(v4: UInt32(bigEndian: pointer.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        case AF_INET6 where entry.ai_addrlen >= 24:
            return IPAddress(v6: UInt128(bigEndian: pointer.loadUnaligned(fromByteOffset: 8, as: UInt128.self)))
        default:
            return nil
        }
    }

    private static func failure(_ result: Int32, _ name: String) -> OutboundError {
        // EAI_NODATA, which glibc hides without _GNU_SOURCE: the name exists and has no address.
        guard result != EAI_NONAME, result != -5 else {
            return OutboundError(.nameNotFound, .notSent, "There is no host \(name), or it has no address.")
        }
        let reason = gai_strerror(result).map { String(cString: $0) } ?? "error \(result)"
        return OutboundError(.resolutionFailed, .notSent, "The name \(name) could not be resolved: \(reason).")
    }
}
