import AuditExport
import Foundation
import JSON
import MerkleLog
import TestSupport

/// The verifier that was written from the description of the format alone, in another language.
enum IndependentVerifier {
    /// Where it stands in the repository.
    static let script = BuildFolder.repository.appendingPathComponent("Tests/AuditVerifier/verify_export.py").path

    static var isThere: Bool { FileManager.default.fileExists(atPath: script) }

    /// Runs the program once for each line of a file of arguments, in one process, and prints how each run ended.
    private static let driver = """
        import contextlib, io, json, runpy, sys, traceback
        script, cases = sys.argv[1:]
        for line in open(cases, encoding="utf-8"):
            output, status = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), 0
            sys.argv = [script, *json.loads(line)]
            try:
                with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                    runpy.run_path(script, run_name="__main__")
            except SystemExit as end:
                status = end.code or 0
            except BaseException:
                output.write(traceback.format_exc())
                status = -1
            output.flush()
            text = output.buffer.getvalue().decode("utf-8", "replace")
            print(json.dumps({"output": text, "status": status}), flush=True)
        """

    /// Has the program verify what each line of arguments names; gives what it says, or no verdict where it fails.
    static func outcomes(_ arguments: [[String]]) async throws -> [Outcome] {
        let cases = Command.temporaryURL("cases.jsonl")
        defer { try? FileManager.default.removeItem(at: cases) }
        var lines: [UInt8] = []
        for arguments in arguments {
            lines += try JSONValue.array(arguments.map { .string($0) }).canonicalBytes() + [UInt8(ascii: "\n")]
        }
        try Data(lines).write(to: cases)
        let output = try await Command.check("/usr/bin/env", ["python3", "-c", driver, script, cases.path])
        return try output.split(separator: "\n").map { line in
            let result = try JSONDocument(parsing: String(line)).root
            let text = result["output"]?.stringValue ?? ""
            return outcome(text, status: result["status"]?.int64Value)
        }
    }

    /// The one line of a result, if it is one and the status is that of its verdict.
    private static func outcome(_ text: String, status: Int64?) -> Outcome {
        let statuses: [String: Int64] = ["good": 0, "bad": 1, "incomplete": 3]
        guard
            text.hasSuffix("\n"), let root = try? JSONDocument(parsing: Array(text.dropLast().utf8)),
            let verdict = root.root["verdict"]?.stringValue, statuses[verdict] == status, root.isCanonical
        else { return Outcome("none", "status \(status ?? -1)", text) }
        return Outcome(verdict, root.root["fault"]?.stringValue, root.root["place"]?.stringValue)
    }
}

extension VerifierInput {
    /// Writes everything below a folder; gives the arguments of a verifier.
    func write(to folder: URL) throws -> [String] {
        let directory = folder.appendingPathComponent("export")
        try export.write(to: directory)
        var arguments = [directory.path, "--format", "json"]
        for key in keys { arguments += ["--key", key.verifierKey.description] }
        for key in witnesses { arguments += ["--witness-key", key.verifierKey.description] }
        for (number, bytes) in known.enumerated() {
            let file = folder.appendingPathComponent("known-\(number)")
            try Data(bytes).write(to: file)
            arguments += ["--known", file.path]
        }
        return arguments
    }

    /// What is found in what was written there.
    func outcome(writtenTo folder: URL) throws -> Outcome {
        let keys = try ExportKeys(log: keys.map(\.verifierKey), witnesses: witnesses.map(\.verifierKey))
        let verifier = ExportVerifier(keys: keys, known: known)
        return Outcome(try verifier.verify(folder.appendingPathComponent("export").path))
    }
}
