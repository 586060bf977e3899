extension PostgresConfiguration {
    /// Reads `postgres://user:password@host:port,host:port/database?sslmode=verify-full&sslrootcert=…`.
    ///
    /// `sslmode` is `disable` or `verify-full`, and may be left out for loopback hosts only. Also known:
    /// `target_session_attrs`, `application_name`, `connect_timeout`, `channel_binding`, `search_path`.
    package init(url: String) throws(PostgresError) {
        func failure(_ text: String) -> PostgresError {
            // Never the URL itself: it may hold the password.
            PostgresError(.configuration, "the database URL \(text)")
        }
        guard let schemeEnd = url.firstRange(of: "://"),
            ["postgres", "postgresql"].contains(url[..<schemeEnd.lowerBound])
        else { throw failure("must begin with postgres://") }
        var rest = url[schemeEnd.upperBound...]
        var query: Substring = ""
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        var database: Substring = ""
        if let slash = rest.firstIndex(of: "/") {
            database = rest[rest.index(after: slash)...]
            rest = rest[..<slash]
        }
        var user: Substring = ""
        var password: Substring?
        if let at = rest.lastIndex(of: "@") {
            user = rest[..<at]
            rest = rest[rest.index(after: at)...]
            if let colon = user.firstIndex(of: ":") {
                password = user[user.index(after: colon)...]
                user = user[..<colon]
            }
        }
        func decoded(_ text: Substring) throws(PostgresError) -> String {
            guard let text = percentDecoded(text) else { throw failure("is not percent-encoded correctly") }
            return text
        }
        var hosts: [Host] = []
        for part in rest.split(separator: ",", omittingEmptySubsequences: false) {
            guard let host = Self.host(part, percentDecoded) else {
                throw failure("has a host or port that is no such")
            }
            hosts.append(host)
        }
        let userName = user.isEmpty ? "postgres" : try decoded(user)
        self.init(
            hosts: hosts,
            database: database.isEmpty ? userName : try decoded(database),
            user: userName,
            password: try password.map(decoded)
        )
        var options: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw failure("has an option without a value") }
            options[try decoded(parts[0])] = try decoded(parts[1])
        }
        try apply(&options)
        if let unknown = options.keys.min() { throw failure("has an unknown option, \(unknown)") }
    }

    private mutating func apply(_ options: inout [String: String]) throws(PostgresError) {
        func failure(_ text: String) -> PostgresError { PostgresError(.configuration, "the database URL's \(text)") }
        let caFile = options.removeValue(forKey: "sslrootcert")
        switch options.removeValue(forKey: "sslmode") {
        case "verify-full":
            guard let caFile, !caFile.isEmpty else { throw failure("sslmode=verify-full needs sslrootcert") }
            tls = .verifyFull(caFile: caFile)
        case "disable":
            tls = .disable
        case nil:
            guard hosts.allSatisfy(\.isLocal) else {
                throw failure("sslmode must be given for other hosts than this one: verify-full or disable")
            }
        case .some(let other):
            throw failure("sslmode is \(other); it can be verify-full or disable")
        }
        if let text = options.removeValue(forKey: "target_session_attrs") {
            guard let value = TargetSessionAttributes(rawValue: text) else {
                throw failure("target_session_attrs can be any or read-write")
            }
            targetSessionAttributes = value
        }
        if let text = options.removeValue(forKey: "application_name") { applicationName = text }
        if let text = options.removeValue(forKey: "search_path") { sessionSettings["search_path"] = text }
        if let text = options.removeValue(forKey: "connect_timeout") {
            guard let seconds = Int(text), (1...3600).contains(seconds) else {
                throw failure("connect_timeout must be 1 to 3600 seconds")
            }
            connectTimeout = .seconds(seconds)
        }
        if let text = options.removeValue(forKey: "channel_binding") {
            guard ["require", "prefer"].contains(text) else {
                throw failure("channel_binding can be require or prefer")
            }
            requiresChannelBinding = text == "require"
        }
    }

    private static func host(_ text: Substring, _ decode: (Substring) -> String?) -> Host? {
        var name = text
        var port = 5432
        var afterName = text.startIndex
        if text.hasPrefix("["), let bracket = text.firstIndex(of: "]") {
            name = text[text.index(after: text.startIndex)..<bracket]
            afterName = text.index(after: bracket)
            guard afterName == text.endIndex || text[afterName] == ":" else { return nil }
        }
        if let colon = text[afterName...].firstIndex(of: ":") {
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
            port = number
            if afterName == text.startIndex { name = text[..<colon] }
        }
        guard let decoded = decode(name), !decoded.isEmpty, !decoded.contains(",") else { return nil }
        return Host(decoded, port: port)
    }
}

extension PostgresConfiguration.Host {
    /// Whether nothing leaves this machine on the way to it.
    var isLocal: Bool {
        name.hasPrefix("/") || name == "localhost" || name == "::1" || name.hasPrefix("127.")
    }
}

/// The text behind a percent-encoded one; nil where the encoding or the UTF-8 is broken.
private func percentDecoded(_ text: Substring) -> String? {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        let digits = rest.prefix(2)
        guard digits.count == 2, digits.first != UInt8(ascii: "+"),
            let value = UInt8(String(Substring(digits)), radix: 16)
        else { return nil }
        bytes.append(value)
        rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
}
