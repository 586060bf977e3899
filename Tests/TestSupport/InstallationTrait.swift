package import Testing

/// Gives a suite one installation, which its tests share.
package struct InstallationTrait: SuiteTrait, TestScoping {
    private let name: String
    private let services: [SystemService: Int]
    private let isPrivate: Bool

    @concurrent
    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        if isPrivate {
            try await PrivateServers.with { servers in
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
        try await Installation.with(name, on: servers, privateServers: privateServers, services: services) { own in
            try await Installation.$current.withValue(own) { try await function() }
        }
    }

    init(_ name: String, _ services: [SystemService: Int], isPrivate: Bool) {
        self.name = name
        self.services = services
        self.isPrivate = isPrivate
    }
}

extension Trait where Self == InstallationTrait {
    /// One installation on the servers that all suites share.
    package static func installation(_ name: String, _ services: [SystemService: Int]) -> Self {
        InstallationTrait(name, services, isPrivate: false)
    }

    /// One installation on servers of its own, which the suite may restart.
    package static func privateInstallation(_ name: String, _ services: [SystemService: Int]) -> Self {
        InstallationTrait(name, services, isPrivate: true)
    }
}
