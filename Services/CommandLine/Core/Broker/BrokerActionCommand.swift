import ArgumentParser
import Domain
import Foundation
import Messaging

/// `batuta broker action`: the queue and the broker user of a service that carries out a registered action.
struct BrokerActionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "action",
        abstract: "Make the queue and the broker user of a service that carries out an action.",
        discussion: """
            The user can take calls from its own queue and give answers of its own action, and nothing else. The command \
            can be run again: what exists is brought up to date, and the password stays unless another one is asked for. \
            A password that no file is named for is printed once, alone on standard output.
            """
    )

    @OptionGroup var management: BrokerManagementOptions

    @Option(name: .long, help: "The key of the tenant.")
    var tenant: String

    @Option(name: .long, help: "The key of the action: area.verb.")
    var action: String

    @Option(
        name: .long,
        help: """
            A file with the user's password, readable to its owner only. It is made with a random one where it does not \
            exist.
            """
    )
    var passwordFile: String?

    @Flag(name: .long, help: "Give a user that exists another random password.")
    var newPassword = false

    @Flag(name: .long, help: "Take the user and the queue away, with the calls in it.")
    var remove = false

    @Option(name: .long, help: "The virtual host that the system lives in.")
    var virtualHost = "/"

    func validate() throws {
        guard !(newPassword && passwordFile != nil) else {
            throw ValidationError("Say --new-password or --password-file, not both.")
        }
        guard !remove || (!newPassword && passwordFile == nil) else {
            throw ValidationError("What is removed has no password.")
        }
        _ = try route
    }

    mutating func run() async throws {
        let administration = try management.administration()
        let route = try route
        if remove {
            try await administration.remove(route, virtualHost: virtualHost)
            StandardStream.error.writeLine("user \(route.brokerUser) and queue \(route.queueName) are gone")
            return
        }
        let given = try passwordFile.map { try PasswordFile(path: $0).readOrMake() }
        let hasUser = try await administration.hasUser(route.brokerUser)
        let password = given ?? (hasUser && !newPassword ? nil : PasswordsFile.randomPassword())
        try await administration.install(route, password: password, virtualHost: virtualHost)
        StandardStream.error.writeLine("user \(route.brokerUser) and queue \(route.queueName) are up to date")
        if let password, given == nil {
            StandardStream.error.writeLine("its password, which is not shown again:")
            StandardStream.output.writeLine(password)
        }
    }

    private var route: ActionRoute {
        get throws {
            guard let tenant = Tenant(tenant) else {
                throw ValidationError("\(tenant) is no key of a tenant.")
            }
            guard let route = ActionRoute(tenant: tenant, action: action) else {
                throw ValidationError("\(action) is no key of an action: area.verb.")
            }
            return route
        }
    }
}
