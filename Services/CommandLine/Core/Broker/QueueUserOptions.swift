import ArgumentParser
import Messaging

/// What the commands have in common that make a queue, and the one broker user that takes from it.
struct QueueUserOptions: ParsableArguments {
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

    @Flag(name: .long, help: "Take the user and the queue away, with what waits in it.")
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
    }

    /// Makes queue and user, or brings them up to date, or takes them away; tells what it has done, and a new password.
    ///
    /// - Parameters:
    ///   - subscription: The queue with what leads to it.
    ///   - permissions: The user, and what it may do.
    ///   - administration: The broker.
    ///   - note: What else is told of a queue that is up to date.
    /// - Throws: `BrokerAdministrationError`, or `CommandLineError` of the password's file.
    func run(
        _ subscription: Topology.Subscription,
        for permissions: BrokerPermissions,
        on administration: BrokerAdministration,
        note: String? = nil
    ) async throws {
        let (user, queue) = (permissions.user, subscription.queue.name)
        if remove {
            try await administration.remove(user: user, queue: queue, virtualHost: virtualHost)
            StandardStream.error.writeLine("user \(user) and queue \(queue) are gone")
            return
        }
        let given = try passwordFile.map { try PasswordFile(path: $0).readOrMake() }
        let hasUser = try await administration.hasUser(user)
        let password = given ?? (hasUser && !newPassword ? nil : PasswordsFile.randomPassword())
        try await administration.install(
            subscription,
            for: permissions,
            password: password,
            virtualHost: virtualHost
        )
        StandardStream.error.writeLine("user \(user) and queue \(queue) are up to date")
        if let note {
            StandardStream.error.writeLine(note)
        }
        if let password, given == nil {
            StandardStream.error.writeLine("its password, which is not shown again:")
            StandardStream.output.writeLine(password)
        }
    }
}
