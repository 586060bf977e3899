extension RabbitMQConfiguration {
    /// Reads `amqp(s)://user:password@host:port,host:port/vhost?option=value`; its parts may be percent-encoded.
    ///
    /// An absent vhost, or an empty one, is `/`. The default ports are 5672 and, for `amqps`, 5671. `amqps` needs the option
    /// `cacertfile`, the PEM file of the authorities that are trusted, and knows `certfile` and `keyfile`, the client's own
    /// certificate.
    ///
    /// - Parameter url: The address; it holds a secret, so no error repeats it.
    /// - Throws: `RabbitMQError` with code `configuration`.
    package init(url: String) throws(RabbitMQError) {
        let (isEncrypted, everything) = try Self.splitScheme(url)
        let mark = everything.firstIndex(of: "?") ?? everything.endIndex
        let rest = everything[..<mark]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        let path = slash == rest.endIndex ? "" : rest[rest.index(after: slash)...]
        guard !path.contains(where: { $0 == "#" || $0 == "/" }) else {
            throw Self.invalid("the virtual host must be percent-encoded and only options may follow it")
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
        tls = try Self.tls(isEncrypted, Self.options(everything[mark...].dropFirst()))
        try validate()
    }

    private static func options(_ query: Substring) throws(RabbitMQError) -> [String: String] {
        var options: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[1].isEmpty else { throw invalid("an option has no value") }
            guard options.updateValue(try decode(parts[1]), forKey: try decode(parts[0])) == nil else {
                throw invalid("an option is given twice")
            }
        }
        return options
    }

    private static func tls(_ isEncrypted: Bool, _ options: [String: String]) throws(RabbitMQError) -> TLS {
        var options = options
        let caFile = options.removeValue(forKey: "cacertfile")
        let (certificate, key) = (options.removeValue(forKey: "certfile"), options.removeValue(forKey: "keyfile"))
        guard options.isEmpty else { throw invalid("it can have the options cacertfile, certfile and keyfile") }
        guard isEncrypted else {
            guard caFile == nil, certificate == nil, key == nil else { throw invalid("only amqps has options") }
            return .disabled
        }
        guard let caFile else { throw invalid("amqps needs cacertfile to verify the broker") }
        switch (certificate, key) {
        case (let certificate?, let key?):
            let own = ClientCertificate(certificateFile: certificate, keyFile: key)
            return .verify(caFile: caFile, clientCertificate: own)
        case (nil, nil): return .verify(caFile: caFile)
        case (_, _): throw invalid("certfile and keyfile are given together or not at all")
        }
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
