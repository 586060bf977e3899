package import ArgumentParser
import Foundation
import Messaging
import Persistence

/// `batuta broker`: the exchanges, users and permissions on the broker.
package struct BrokerCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Bring the broker's exchanges, users and permissions to what this release needs.",
        subcommands: [
            BrokerActionCommand.self, BrokerApplyCommand.self, BrokerDefinitionsCommand.self, BrokerMonitorCommand.self,
        ]
    )

    package init() {}
}

/// What `apply` and `definitions` need to make the definitions.
struct BrokerDefinitionsOptions: ParsableArguments {
    @Option(
        name: .long,
        help: """
            A JSON object from service to the password of its broker user, readable to its owner only. It is made with \
            random passwords where it does not exist.
            """
    )
    var passwordsFile: String

    @Option(name: .long, help: "The virtual host that the system lives in.")
    var virtualHost = "/"

    /// The definitions, with salted hashes of the passwords.
    func definitions() throws -> [UInt8] {
        let file = try PasswordsFile(path: passwordsFile).readOrMake()
        let passwords = Dictionary(
            uniqueKeysWithValues: file.passwords.compactMap { schema, password in
                ServiceName(rawValue: schema.name).map { ($0, password) }
            }
        )
        return Topology.definitions(virtualHost: virtualHost, passwords: passwords)
    }
}

/// Where the broker's management interface is.
struct BrokerManagementOptions: ParsableArguments {
    static let urlName = "BATUTA_BROKER_MANAGEMENT_URL"

    @Option(
        name: .long,
        help: """
            http(s)://user:password@host:port of the management interface; otherwise \(urlName) or the file that \
            \(urlName)_FILE names. The user must be an administrator.
            """
    )
    var managementURL: String?

    @OptionGroup var trust: TrustOptions

    /// The interface.
    ///
    /// - Throws: `ValidationError` when there is no address, `BrokerAdministrationError` when it is none.
    func administration() throws -> BrokerAdministration {
        guard let url = try managementURL ?? EnvironmentSetting.value(Self.urlName) else {
            throw ValidationError("Give the management interface with --management-url or \(Self.urlName).")
        }
        return try BrokerAdministration(url: url, http: trust.httpClient(for: url))
    }
}

/// `batuta broker apply`: installs the definitions through the broker's management interface.
struct BrokerApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Install exchanges, users and permissions on a running broker.",
        discussion: "It can be run again; what exists is brought up to date, and nothing else is touched."
    )

    @OptionGroup var management: BrokerManagementOptions

    @OptionGroup var options: BrokerDefinitionsOptions

    mutating func run() async throws {
        try await management.administration().install(options.definitions())
        let line = "exchanges, users and permissions of virtual host \(options.virtualHost) are up to date"
        StandardStream.output.writeLine(line)
    }
}

/// `batuta broker definitions`: prints the definitions, for a broker that loads them at its start.
struct BrokerDefinitionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "definitions",
        abstract: "Print the definitions, for RabbitMQ's load_definitions."
    )

    @OptionGroup var options: BrokerDefinitionsOptions

    mutating func run() throws {
        StandardStream.output.write(try options.definitions())
    }
}
