private import Foundation
package import Testing

/// The private Postgres and RabbitMQ that `compose/test` starts for all suites together.
package struct TestServers: Hashable, Sendable {
    /// The superuser's connection URI of Postgres.
    package let postgres: String

    /// The administrator's AMQP URI.
    package let rabbitMQ: String

    /// The base URL of RabbitMQ's management API, credentials included.
    package let rabbitMQManagement: String

    /// The path of a program that runs `rabbitmqctl` against this node.
    package let rabbitMQControl: String

    /// The folder that `compose/servers` keeps these servers in.
    package let directory: String

    /// The path of `compose/servers`.
    package let command: String

    /// The authority of the servers' certificate; nil where connections are not encrypted.
    package let authority: TestAuthority?

    /// Reads the servers' addresses from an environment; nil when one is missing.
    package init?(environment: [String: String]) {
        guard
            let postgres = environment["BATUTA_TEST_POSTGRES"],
            let rabbitMQ = environment["BATUTA_TEST_RABBITMQ"],
            let rabbitMQManagement = environment["BATUTA_TEST_RABBITMQ_MANAGEMENT"],
            let rabbitMQControl = environment["BATUTA_TEST_RABBITMQ_CTL"],
            let directory = environment["BATUTA_TEST_SERVERS"],
            let command = environment["BATUTA_TEST_SERVERS_COMMAND"]
        else { return nil }
        self.postgres = postgres
        self.rabbitMQ = rabbitMQ
        self.rabbitMQManagement = rabbitMQManagement
        self.rabbitMQControl = rabbitMQControl
        self.directory = directory
        self.command = command
        authority = environment["BATUTA_TEST_TLS"].map { TestAuthority(directory: $0) }
    }

    /// The servers of this test run; nil when it has none.
    package static let current = TestServers(environment: ProcessInfo.processInfo.environment)

    /// The servers of this test run.
    ///
    /// - Throws: `TestSupportError` with code `noServers` when the run has none.
    package static func required() throws -> TestServers {
        guard let current else { throw TestSupportError(.noServers, absence) }
        return current
    }

    /// The sentence for a run without servers.
    package static let absence = "This needs a private Postgres and RabbitMQ; `make test` starts them."
}

/// The cases that stand next to the repository and may not be copied into it.
package enum TestCases {
    /// The folder that `BATUTA_CASES` names; nil when it is unset or names no folder.
    package static let directory: String? = {
        guard let path = ProcessInfo.processInfo.environment["BATUTA_CASES"] else { return nil }
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        return exists && isDirectory.boolValue ? path : nil
    }()
}

extension Trait where Self == ConditionTrait {
    /// Skips a test or suite, with a sentence, in a run that has no private servers.
    package static var requiresServers: Self {
        .enabled(if: TestServers.current != nil, Comment(rawValue: TestServers.absence))
    }

    /// Skips a test or suite, with a sentence, in a run that cannot start servers of its own.
    package static var requiresPrivateServers: Self {
        .enabled(if: PrivateServers.isAvailable, Comment(rawValue: TestServers.absence))
    }

    /// Skips a test or suite, with a sentence, where `BATUTA_CASES` names no folder of cases.
    package static var requiresCases: Self {
        .enabled(if: TestCases.directory != nil, "BATUTA_CASES names no folder of cases.")
    }
}
