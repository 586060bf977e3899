import ArgumentParser
import AuditExport
import Foundation
import MerkleLog

/// `batuta audit export`: writes the log, or some entries with their proofs, as files that can be verified offline.
struct AuditExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the audit log, or some entries with their proofs, as files that can be verified offline.",
        discussion: """
            With --output it is the whole log up to its newest checkpoint: with a token of an auditor or an administrator \
            the part of the token's tenant, with a signed word of how much that is; with --whole the log of the whole \
            installation, out of the database. Nothing can be left out of it unseen.

            With --proofs it is one file with those entries of the token's tenant that the other options name, the newest \
            first, each with the proof that it is in the log. That none is left out such a file cannot show. It is there \
            once it is complete; until then it has another name.

            The forms are described in docs/audit-format.md. What is exported is itself recorded in the log.

            Examples:
              batuta audit export --output audit-2026-11
              batuta audit export --whole --database-url postgres://… --output audit-2026-11
              batuta audit export --proofs locks.jsonl --object-type automation --from 2026-11-01T00:00:00Z
              batuta audit verify audit-2026-11 --key example.com/audit+…
              batuta audit verify locks.jsonl --key example.com/audit+…
            """
    )

    @Option(name: .shortAndLong, help: "The directory that is made; if there is one, it must be empty.")
    var output: String?

    @Option(name: .long, help: "The file of entries with proofs that is made; it must not exist.")
    var proofs: String?

    @Flag(name: .long, help: "With --output: the log of every tenant, read from the database.")
    var whole = false

    @OptionGroup(title: "Which entries, with --proofs") var search: AuditSearchOptions

    @OptionGroup var gateway: GatewayOptions
    @OptionGroup var database: DatabaseOptions

    func validate() throws {
        guard (output == nil) != (proofs == nil) else {
            throw ValidationError("Give either --output, for the log, or --proofs, for entries with proofs.")
        }
        guard proofs == nil || !whole else {
            throw ValidationError("--whole goes with --output.")
        }
        guard proofs != nil || search.query.isEmpty else {
            throw ValidationError(
                "An export of the log holds every entry; the options that name some go with --proofs."
            )
        }
    }

    mutating func run() async throws {
        if let proofs {
            return try await ProofPages(client: try gateway.client(), search: search.query).write(to: proofs)
        }
        let output = output ?? ""
        if whole {
            let configuration = try database.configuration(applicationName: "batuta-audit-export")
            try await DatabaseSession.with(configuration) { client in
                try await Self.export(from: DatabaseLog(database: client), to: output)
            }
        } else {
            try await Self.export(from: GatewayLog(client: try gateway.client()), to: output)
        }
    }

    private static func export(from log: some ExportedLog, to output: String) async throws {
        let begun = try await log.begin()
        do {
            var writer = try ExportWriter(
                directory: output,
                checkpoint: Array(begun.checkpoint.utf8),
                scope: begun.scope.map { Array($0.utf8) }
            )
            var progress = ProgressLine()
            while writer.count < begun.size {
                for item in try await log.next(from: writer.count, of: begun) {
                    try writer.append(item.entry, leaf: item.leaf)
                }
                progress.show(writer.count, of: begun.size, "entries")
            }
            let written = try writer.finish()
            progress.clear()
            StandardStream.output.writeLine("\(output): \(written) entries of a log of \(begun.size)")
            StandardStream.error.writeLine("verify it with `batuta audit verify \(output) --key KEY`")
        } catch let error as ExportError {
            throw CommandLineError(.file, error.message)
        }
    }
}

/// A log that can be exported.
protocol ExportedLog: Sendable {
    /// Fixes what is exported.
    func begin() async throws -> BegunExport
    /// At least one entry from an index on, each with its leaf hash; one that is not in the export has no bytes.
    func next(from index: UInt64, of export: BegunExport) async throws -> [ExportedEntry]
}

/// What an export holds.
struct BegunExport: Sendable {
    var id: String
    var size: UInt64
    /// The signed note.
    var checkpoint: String
    /// The signed word of how much of the log is one tenant's; nil for all of it.
    var scope: String?
}

/// One entry of an export.
struct ExportedEntry: Sendable {
    var entry: [UInt8]?
    var leaf: MerkleHash
}
