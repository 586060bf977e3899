import ArgumentParser
import Domain
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

    @OptionGroup var options: QueueUserOptions

    func validate() throws {
        _ = try route
    }

    mutating func run() async throws {
        let route = try route
        let permissions = BrokerPermissions(of: route)
        try await options.run(route.subscription, for: permissions, on: management.administration())
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
