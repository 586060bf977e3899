import ArgumentParser
import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// `batuta audit seal`: takes old weeks of entries out of the log.
struct AuditSealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Take old weeks of entries out of the audit log; what is left still verifies.",
        discussion: """
            The log keeps everything until somebody seals it. The entries of each whole week before a day are detached and \
            left as a table of their own, audit.sealed_entries_YYYYMMDD, for you to keep elsewhere and to drop. The tree \
            keeps their hashes, and the log gets an entry that says which are gone. Export the log first: an export that \
            was made before still holds them, and verifies.

            Example:
              batuta audit seal --before 2026-01-01 --reason 'kept for five years by the archive'
            """
    )

    @OptionGroup var database: DatabaseOptions

    @Option(name: .long, help: "The day, YYYY-MM-DD; weeks that end before it are sealed, none younger than 30 days.")
    var before: String

    @Option(name: .long, help: "Why, for the audit log.")
    var reason: String

    @Flag(name: .long, help: "Only say which weeks there are.")
    var plan = false

    func validate() throws {
        guard before.wholeMatch(of: #/[0-9]{4}-[0-9]{2}-[0-9]{2}/#) != nil, !reason.isEmpty, reason.utf8.count <= 1_000
        else {
            throw ValidationError("--before takes a day such as 2026-01-01, and --reason 1 to 1000 bytes.")
        }
    }

    mutating func run() async throws {
        let configuration = try database.configuration(applicationName: "batuta-audit-seal")
        let (before, reason, plan) = (before, reason, plan)
        try await DatabaseSession.with(configuration) { client in
            try await SchemaGate.check(client: client, schema: .audit)
            let weeks = try await Self.weeks(before: before, client)
            guard !weeks.isEmpty else {
                return StandardStream.output.writeLine("the log has no week of entries that ended before \(before)")
            }
            let lanes = LaneGroup.unrelayed(schema: .audit, service: "audit-writer", replica: "seal", database: client)
            for week in weeks {
                guard !plan else {
                    StandardStream.output.writeLine("the week of \(week) would be sealed")
                    continue
                }
                let count = try await Self.seal(week, reason: reason, lanes)
                let table = "audit.sealed_entries_\(week.filter { $0 != "-" })"
                StandardStream.output.writeLine("sealed \(count) entries of the week of \(week): they are in \(table)")
            }
        }
    }

    /// The Mondays of the weeks with entries that ended before a day.
    private static func weeks(before day: String, _ database: PostgresClient) async throws -> [String] {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT to_date(right(c.relname, 8), 'YYYYMMDD')::text
                FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'audit.entries'::regclass
                  AND to_date(right(c.relname, 8), 'YYYYMMDD') + 7 <= $1::text::date
                  AND (xpath('/row/n/text()', query_to_xml(
                      format('SELECT count(*) AS n FROM (SELECT FROM audit.%I LIMIT 1) AS e', c.relname),
                      false, true, '')))[1]::text <> '0'
                ORDER BY 1
                """,
                [.text(day)],
                isReadOnly: true
            )
        )
        return try rows.map { try $0.decode(0) }
    }

    /// Seals one week with its entry, in one transaction.
    private static func seal(_ week: String, reason: String, _ lanes: LaneGroup) async throws -> Int64 {
        do {
            return try await lanes.change(deadline: .now + .seconds(3_600)) { transaction in
                let rows = try await transaction.execute(
                    ChangeStatement("SELECT entries, ranges FROM audit.seal_week($1::text::date)", [.text(week)])
                )
                guard let row = rows.first else {
                    throw CommandLineError(.answer, "the week of \(week) was not sealed")
                }
                let count = try row.decode(0, as: Int64.self)
                let ranges = try JSONValue(parsing: Array(try row.decode(1, as: String.self).utf8))
                let entry = AuditDraft(
                    id: UUIDv7.make(),
                    time: .now(),
                    tenant: "batuta",
                    actor: AuditActor(type: .system, id: "batuta", via: "audit seal"),
                    action: "seal",
                    object: AuditObject(type: "partition", id: "audit.entries/\(week)"),
                    before: try .json(["entries": .number(count)]),
                    after: try .json(["ranges": ranges]),
                    reason: reason
                )
                return .made(count, entry)
            }
        } catch let error as PostgresError where error.sqlState == "22023" {
            throw CommandLineError(.answer, "the week of \(week) cannot be sealed: \(error.message)")
        } catch let error as PostgresError where error.sqlState == "55P03" {
            throw CommandLineError(.running, "the week of \(week) is in use just now; give the command again")
        }
    }
}
