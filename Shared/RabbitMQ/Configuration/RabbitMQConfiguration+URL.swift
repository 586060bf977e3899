extension RabbitMQConfiguration {
    /// Reads `amqp(s)://user:password@host:port,host:port/vhost`; user, password and vhost may be percent-encoded.
    ///
    /// An absent vhost, or an empty one, is `/`. The default ports are 5672 and, for `amqps`, 5671.
    ///
    /// - Parameters:
    ///   - url: The address; it holds a secret, so no error repeats it.
    ///   - caFile: The PEM file of trusted authorities, which `amqps` needs.
    /// - Throws: `RabbitMQError` with code `configuration`.
    package init(url: String, caFile: String? = nil) throws(RabbitMQError) {
        let (isEncrypted, rest) = try Self.splitScheme(url)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        let path = slash == rest.endIndex ? "" : rest[rest.index(after: slash)...]
        guard !path.contains(where: { $0 == "?" || $0 == "#" || $0 == "/" }) else {
            throw Self.invalid("the virtual host must be percent-encoded and nothing may follow it")
        }
        var hosts = authority
        var user = "guest"
        var password = "guest"
        if let at = authority.lastIndex(of: "@") {
            hosts = authority[authority.index(after: at)...]
            let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.decode(parts[0])
            password = try parts.count > 1 ? Self.decode(parts[1]) : ""
        }
        var endpoints: [Endpoint] = []
        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            try endpoints.append(Self.endpoint(host, defaultPort: isEncrypted ? 5671 : 5672))
        }
        self.init(endpoints: endpoints, user: user, password: password)
        if !path.isEmpty { virtualHost = try Self.decode(path) }
        if isEncrypted {
            guard let caFile else { throw Self.invalid("amqps needs a CA file to verify the broker") }
            tls = .verify(caFile: caFile)
        }
        try validate()
    }

    private static func invalid(_ reason: String) -> RabbitMQError {
        RabbitMQError(.configuration, "the broker URL is not valid: \(reason)")
    }

    private static func splitScheme(_ url: String) throws(RabbitMQError) -> (isEncrypted: Bool, rest: Substring) {
        if url.hasPrefix("amqp://") { return (false, url.dropFirst(7)) }
        if url.hasPrefix("amqps://") { return (true, url.dropFirst(8)) }
        throw invalid("it must begin with amqp:// or amqps://")
    }

    private static func endpoint(_ text: Substring, defaultPort: Int) throws(RabbitMQError) -> Endpoint {
        var host = text
        var port: Substring?
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw invalid("an IPv6 address lacks its bracket") }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { throw invalid("a host is followed by nonsense") }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw invalid("a host is empty") }
        guard let port else { return Endpoint(host: String(host), port: defaultPort) }
        guard port.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(port), (1...65_535).contains(number)
        else { throw invalid("a port is not a number between 1 and 65535") }
        return Endpoint(host: String(host), port: number)
    }

    private static func decode(_ text: Substring) throws(RabbitMQError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let high = hexadecimal(rest.popFirst()), let low = hexadecimal(rest.popFirst())
            else { throw invalid("a percent sign is not followed by two hexadecimal digits") }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw invalid("a percent-encoded part is not UTF-8")
        }
        return decoded
    }

    private static func hexadecimal(_ byte: UInt8?) -> UInt8? {
        switch byte {
        case .some(let digit) where (48...57).contains(digit): digit - 48
        case .some(let digit) where (65...70).contains(digit): digit - 55
        case .some(let digit) where (97...102).contains(digit): digit - 87
        default: nil
        }
    }
}
