package import ArgumentParser
import Foundation
import MerkleLog

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

    @Option(
        name: .long,
        help: """
            The name of the audit log's key, such as example.com/audit. The database knows it where the log was signed \
            before that moment; then it must be the same.
            """
    )
    var log: String?

    @Option(name: .long, help: "Why the database was restored, for the audit log.")
    var reason: String?

    package init() {}

    package func validate() throws {
        // The name that follows is longer.
        guard log.map({ Checkpoint.isOrigin("\($0)/9999999999") && Checkpoint.isOrigin($0) }) ?? true else {
            throw ValidationError("--log takes the name of a log: printable ASCII without spaces and \"+\".")
        }
    }

    package mutating func run() async throws {
        let configuration = try database.configuration(applicationName: "batuta-restored")
        let broker = try management.administration()
        let (virtualHost, reason, log) = (virtualHost, reason, log)
        try await DatabaseSession.with(configuration) { client in
            let restoration = Restoration(
                database: client,
                broker: broker,
                virtualHost: virtualHost,
                reason: reason,
                log: log
            )
            try await restoration.run { line in
                StandardStream.output.writeLine(line)
            }
        }
        StandardStream.output.writeLine("start the services now, and then run `batuta check`")
    }
}
