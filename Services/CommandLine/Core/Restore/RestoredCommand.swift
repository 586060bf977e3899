package import ArgumentParser
import Foundation

/// `batuta restored`: the step between restoring the database to an earlier moment and starting the services.
package struct RestoredCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "restored",
        abstract: "Make a database that was restored to an earlier moment safe to go on with.",
        discussion: """
            Run it after the restore, while no service runs; it refuses otherwise. It deletes the services' queues, which \
            may hold messages from after that moment, moves the epochs of lanes beyond all that were ever given, and leaves \
            an entry in the audit log. Services declare their queues again when they start. It can be run again.
            """
    )

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var management: BrokerManagementOptions

    @Option(name: .long, help: "The virtual host that the system lives in.")
    var virtualHost = "/"

    @Option(name: .long, help: "Why the database was restored, for the audit log.")
    var reason: String?

    package init() {}

    package mutating func run() async throws {
        let configuration = try database.configuration(applicationName: "batuta-restored")
        let broker = try management.administration()
        let (virtualHost, reason) = (virtualHost, reason)
        try await DatabaseSession.with(configuration) { client in
            let restoration = Restoration(database: client, broker: broker, virtualHost: virtualHost, reason: reason)
            try await restoration.run { line in
                StandardStream.output.writeLine(line)
            }
        }
        StandardStream.output.writeLine("start the services now, and then run `batuta check`")
    }
}
