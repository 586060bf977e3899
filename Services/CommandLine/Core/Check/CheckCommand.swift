package import ArgumentParser
import Foundation
import Persistence

/// `batuta check`: whether the stored data hold together.
package struct CheckCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check that the stored data of all services hold together.",
        discussion: """
            It reads only, everything in one moment, and may run beside the services. Of what breaks a rule it counts all \
            and shows up to \(CheckFinding.examplesShown). The exit code is 0 when every rule holds, warnings or not; 1 when \
            one is broken; 2 when nothing could be told.
            """
    )

    /// The exit code where a rule is broken.
    static let broken = ExitCode(1)
    /// The exit code where nothing could be told.
    static let unknown = ExitCode(2)

    @OptionGroup var database: DatabaseOptions

    @Option(
        name: .long,
        help: "From when on: a day (2026-01-31), an instant (2026-01-31T12:00:00Z) or an age (36h, 7d); otherwise all."
    )
    var since: CheckSince?

    @Flag(name: .long, help: "Answer one JSON document.")
    var json = false

    package init() {}

    package mutating func run() async throws {
        let report: CheckReport
        do {
            report = try await run { line in
                StandardStream.output.writeLine(line)
            }
        } catch let error as ValidationError {
            throw error
        } catch {
            StandardStream.error.writeLine("Error: \(error)")
            throw Self.unknown
        }
        if report.violated > 0 { throw Self.broken }
    }

    /// Does the work.
    ///
    /// - Parameter print: Takes each line as soon as it stands.
    /// - Returns: What was found.
    /// - Throws: What keeps it from being told.
    func run(print: (String) -> Void) async throws -> CheckReport {
        let configuration = try database.configuration(applicationName: "batuta-check")
        return try await DatabaseSession.with(configuration) { client in
            var report = CheckReport()
            let check = ConsistencyCheck(client: client, least: since?.least ?? CheckSince.zero)
            try await check.run { finding in
                let lines = report.add(finding)
                if !json { lines.forEach(print) }
            }
            print(json ? String(decoding: report.document(since: since), as: UTF8.self) : report.summary)
            return report
        }
    }
}
