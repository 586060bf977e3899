package import Testing

/// Gives a suite one installation, which its tests share.
package struct InstallationTrait: SuiteTrait, TestScoping {
    private let name: String
    private let services: [SystemService: Int]
    private let settings: [SystemService: [String: String]]
    private let isPrivate: Bool
    private let disk: Int?

    @concurrent
    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        if isPrivate {
            try await PrivateServers.with(databaseDisk: disk) { servers in
                try await run(on: servers.servers, servers, function)
            }
        } else {
            try await run(on: try TestServers.required(), nil, function)
        }
    }

    private func run(
        on servers: TestServers,
        _ privateServers: PrivateServers?,
        _ function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Installation.with(
            name,
            on: servers,
            privateServers: privateServers,
            services: services,
            settings: settings
        ) { own in
            try await Installation.$current.withValue(own) { try await function() }
        }
    }

    init(
        _ name: String,
        _ services: [SystemService: Int],
        settings: [SystemService: [String: String]] = [:],
        isPrivate: Bool,
        disk: Int? = nil
    ) {
        self.disk = disk
        self.name = name
        self.services = services
        self.settings = settings
        self.isPrivate = isPrivate
    }
}

extension Trait where Self == InstallationTrait {
    /// One installation on the servers that all suites share.
    ///
    /// - Parameters:
    ///   - name: A word for the names of database and virtual host.
    ///   - services: How many replicas of which service are started.
    ///   - settings: Variables of a service's replicas, beyond what every installation has.
    /// - Returns: The trait.
    package static func installation(
        _ name: String,
        _ services: [SystemService: Int],
        settings: [SystemService: [String: String]] = [:]
    ) -> Self {
        InstallationTrait(name, services, settings: settings, isPrivate: false)
    }

    /// One installation on servers of its own, which the suite may restart.
    ///
    /// - Parameters:
    ///   - name: a word for the names of database and virtual host.
    ///   - services: how many replicas of which service are started.
    ///   - settings: environment variables of services that differ from their defaults.
    ///   - databaseDisk: the size of the database's own disk, in MiB; nil leaves it on the machine's.
    /// - Returns: the trait.
    package static func privateInstallation(
        _ name: String,
        _ services: [SystemService: Int],
        settings: [SystemService: [String: String]] = [:],
        databaseDisk: Int? = nil
    ) -> Self {
        InstallationTrait(name, services, settings: settings, isPrivate: true, disk: databaseDisk)
    }
}
