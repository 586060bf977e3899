import Foundation
import JSON
import TestSupport

/// What is kept of a round in which something did not hold, for whoever has to find out why.
struct FaultArtefacts: Sendable {
    private let folder: URL

    init(_ folder: URL) { self.folder = folder }

    /// Writes everything that is known; what cannot be had is left out.
    func keep(
        _ record: FaultRecord,
        of installation: Installation,
        journal: FaultJournal,
        calls: [RecordingSink.Call]
    ) async {
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        write("record.json", [record.line])
        write("journal.txt", journal.lines)
        write("violations.txt", record.violations)
        write("clients.jsonl", installation.history.events.map(Self.line))
        write("sink.jsonl", calls.map(Self.line))
        for replica in installation.all {
            for (number, file) in replica.logFiles.enumerated() {
                let copy = folder.appendingPathComponent("\(replica.name)-\(number + 1).log")
                try? FileManager.default.copyItem(at: file, to: copy)
            }
        }
        await dump(installation)
    }

    private func write(_ name: String, _ lines: [String]) {
        let text = lines.map { $0 + "\n" }.joined()
        try? Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }

    private func dump(_ installation: Installation) async {
        guard let address = try? ServerAddress(installation.servers.postgres) else { return }
        let url = "postgres://\(address.user):\(address.password)@\(address.authority)/\(installation.database)"
        let file = folder.appendingPathComponent("database.sql").path
        // Through `env`, which finds the client on the path.
        _ = try? await Command.run("/usr/bin/env", ["pg_dump", "--file", file, url + address.options])
    }

    private static func line(_ event: SignalHistory.Event) -> String {
        object { writer in
            writer.member("at_ms", Int64(event.at / .milliseconds(1)))
            writer.member("type", event.kind)
            writer.member("id", event.id)
            writer.member("detail", event.detail)
        }
    }

    private static func line(_ call: RecordingSink.Call) -> String {
        object { writer in
            writer.member("method", call.method)
            writer.member("path", call.path)
            writer.member("idempotency_key", call.idempotencyKey)
            writer.member("body", call.body)
        }
    }

    private static func object(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        body(&writer)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
