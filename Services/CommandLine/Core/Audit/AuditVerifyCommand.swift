import ArgumentParser
import AuditExport
import Glibc
import MerkleLog

/// `batuta audit verify`: whether an export, or a file of entries with proofs, is what the log has signed.
struct AuditVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify an export of the audit log, or entries with proofs.",
        discussion: """
            It works offline, and reads nothing but what it is given. What was changed and what is missing is told apart; \
            docs/audit-format.md says what is checked, and what the faults are.

            Keep the checkpoint of each export that was verified, and give it to the next verification as --known: without \
            one nobody can tell an export of the log from an earlier one, or from another history that was signed with the \
            same key.

            Example:

              batuta audit verify export-2 --key @audit.vkey --known export-1/checkpoint

            The exit code is 0 when all is good, 1 when the log or the export was changed, 3 when what is there is genuine \
            and something is missing, and 2 when nothing could be told.
            """
    )

    /// The exit code where something was changed.
    static let bad = ExitCode(1)
    /// The exit code where nothing could be told.
    static let unknown = ExitCode(2)
    /// The exit code where something is missing.
    static let incomplete = ExitCode(3)

    @Argument(help: ArgumentHelp("The directory of an export, or a file of entries with proofs.", valueName: "path"))
    var path: String

    @Option(
        name: .long,
        help: "A verifier key of the log, or with @ before it a file that has one a line; may be repeated."
    )
    var key: [String] = []

    @Option(name: .long, help: "A verifier key of a witness, in the same way; may be repeated.")
    var witnessKey: [String] = []

    @Option(name: .long, help: "A file with a checkpoint of the log that was kept earlier; may be repeated.")
    var known: [String] = []

    @Option(name: .long, help: "How the result is told: text for people, or json on one line.")
    var format = Format.text

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    func validate() throws {
        guard !key.isEmpty else { throw ValidationError("--key is needed: a verifier key of the log.") }
    }

    func run() throws {
        let report: AuditVerifyReport
        do {
            report = try verify()
        } catch let error as CommandLineError {
            StandardStream.error.writeLine("Error: \(AuditVerifyReport.printable(error.message))")
            throw Self.unknown
        } catch let error as ValidationError {
            // As the others of this command, without how all commands are used.
            StandardStream.error.writeLine("Error: \(AuditVerifyReport.printable(error.message))")
            throw ExitCode.validationFailure
        }
        switch format {
        case .text: report.lines.forEach(StandardStream.output.writeLine)
        case .json: StandardStream.output.writeLine(report.json)
        }
        switch report.verdict {
        case "good": return
        case "incomplete": throw Self.incomplete
        default: throw Self.bad
        }
    }

    /// Does the work.
    ///
    /// - Throws: `CommandLineError` where nothing can be told, `ValidationError` where the arguments are wrong.
    private func verify() throws -> AuditVerifyReport {
        let keys = try exportKeys()
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw CommandLineError(.file, "\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        let isExport = status.st_mode & S_IFMT == S_IFDIR
        guard isExport || known.isEmpty else {
            throw ValidationError("--known goes with an export: entries with proofs are those of one checkpoint.")
        }
        let earlier = try known.map { try SmallFile.read($0, atMost: ExportVerifier.maximumNoteSize + 1) }
        do throws(ExportError) {
            guard isExport else { return AuditVerifyReport(try ProofsVerifier(keys: keys).verify(path)) }
            var progress = ProgressLine()
            defer { progress.clear() }
            let verifier = ExportVerifier(keys: keys, known: earlier)
            return AuditVerifyReport(
                try verifier.verify(path) { progress.show($0, of: $1, "entries") },
                isCompared: !earlier.isEmpty
            )
        } catch {
            throw CommandLineError(.file, error.message)
        }
    }

    private func exportKeys() throws -> ExportKeys {
        let log = try key.flatMap(Self.verifierKeys)
        let witnesses = try witnessKey.flatMap(Self.verifierKeys)
        do throws(ExportError) {
            return try ExportKeys(log: log, witnesses: witnesses)
        } catch {
            throw ValidationError(error.message)
        }
    }

    /// Reads a key, or the file that is named behind an @, which has one a line.
    private static func verifierKeys(_ argument: String) throws -> [NoteVerifierKey] {
        var texts = [argument]
        if argument.hasPrefix("@") {
            let bytes = try SmallFile.read(String(argument.dropFirst()), atMost: 1 << 16)
            let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            texts = lines.map(String.init)
        }
        return try texts.map { text in
            do throws(MerkleLogError) {
                return try NoteVerifierKey(parsing: text)
            } catch {
                let place = texts.count == 1 && text == argument ? "" : " in \(argument)"
                throw ValidationError(
                    """
                    \(text)\(place) is no verifier key: \(error.message) Give the line that `batuta audit key show` prints, \
                    such as example.com/audit+01ab23cd+AX…, or with @ before it a file of such lines.
                    """
                )
            }
        }
    }
}
