extension PostgresConfiguration {
    /// Throws for what no connection could be made with.
    func validate() throws(PostgresError) {
        func check(_ condition: Bool, _ text: String) throws(PostgresError) {
            guard condition else { throw PostgresError(.configuration, text) }
        }
        try check(!hosts.isEmpty, "the database needs a host")
        try check(hosts.allSatisfy { (1...65_535).contains($0.port) }, "a database port must be 1 to 65535")
        try check(pool.maximum >= 1, "the pool must allow a connection")
        try check((0...pool.maximum).contains(pool.minimum), "the pool's minimum must lie between 0 and its maximum")
        try check(pool.maximumWaiters >= 1, "the pool must let somebody wait")
        try check(pool.waitLimit > .zero, "the pool's wait limit must be positive")
        try check(maximumResultBytes > 0, "the limit of results must be positive")
        let texts = connectionParameters().map(\.value) + hosts.map(\.name)
        try check(!texts.contains { $0.utf8.contains(0) }, "a database setting holds a NUL character")
    }

    /// The keywords and values for libpq.
    func connectionParameters() -> [(keyword: String, value: String)] {
        var parameters: [(keyword: String, value: String)] = [
            ("host", hosts.map(\.name).joined(separator: ",")),
            ("port", hosts.map { String($0.port) }.joined(separator: ",")),
            ("dbname", database),
            ("user", user),
            ("application_name", applicationName),
            ("client_encoding", "UTF8"),
            ("target_session_attrs", targetSessionAttributes.rawValue),
            ("connect_timeout", String(max(2, connectTimeout.wholeSeconds))),
            ("keepalives", "1"),
            ("keepalives_idle", String(max(1, keepaliveIdle.wholeSeconds))),
            ("keepalives_interval", String(max(1, keepaliveInterval.wholeSeconds))),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", String(tcpUserTimeout.wholeMilliseconds)),
            ("gssencmode", "disable"),
            ("options", sessionOptions()),
        ]
        if let password { parameters.append(("password", password)) }
        switch tls {
        case .disable:
            parameters.append(("sslmode", "disable"))
        case .verifyFull(let caFile):
            parameters.append(("sslmode", "verify-full"))
            parameters.append(("sslrootcert", caFile))
            parameters.append(("ssl_min_protocol_version", "TLSv1.2"))
        }
        if requiresChannelBinding { parameters.append(("channel_binding", "require")) }
        return parameters
    }

    /// The settings of the session, in the form of the server's command line.
    private func sessionOptions() -> String {
        var settings = sessionSettings
        settings["statement_timeout"] = String(statementTimeout.wholeMilliseconds)
        settings["lock_timeout"] = String(lockTimeout.wholeMilliseconds)
        settings["idle_in_transaction_session_timeout"] = String(idleInTransactionTimeout.wholeMilliseconds)
        return settings.sorted { $0.key < $1.key }
            .map { "-c \($0.key)=\(Self.escapedOption($0.value))" }
            .joined(separator: " ")
    }

    private static func escapedOption(_ value: String) -> String {
        String(value.flatMap { $0 == " " || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}

extension Duration {
    fileprivate var wholeSeconds: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }

    fileprivate var wholeMilliseconds: Int64 {
        min(max(0, components.seconds), 1_000_000) * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
