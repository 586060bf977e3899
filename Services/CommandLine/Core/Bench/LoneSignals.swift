import Foundation
import JSON
import Persistence

/// Posts signals one after the other, and watches in the database for the commit of each one's run.
struct LoneSignals: Sendable {
    let host: String
    let port: Int
    let request: SignalRequest
    let database: PostgresClient
    /// How long one signal may take.
    let patience: Duration

    /// Posts them.
    func post(_ numbers: Range<Int>) async throws -> BenchReport.LoneSignals {
        let line = try LoneConnection(host: host, port: port)
        var report = BenchReport.LoneSignals(accepted: Latencies(), visible: Latencies())
        for number in numbers {
            let (sentAt, response) = try await line.exchange(request.bytes(number))
            report.accepted.record(.now - sentAt)
            try SignalLoad.check(response)
            guard let answer = try? JSONDocument(parsing: response.body),
                let signal = answer.root["signal_id"]?.stringValue.flatMap(UUID.init(uuidString:))
            else {
                throw CommandLineError(.answer, "the answer to a signal has no signal_id")
            }
            try await waitForRun(of: signal, deadline: sentAt + patience)
            report.visible.record(.now - sentAt)
        }
        return report
    }

    /// Asks without a pause, because a pause would show in the figure; one query costs the server some 30 microseconds.
    private func waitForRun(of signal: UUID, deadline: ContinuousClock.Instant) async throws {
        let statement = PostgresStatement(
            "SELECT 1 FROM engine.automation_dedup WHERE signal_id = $1 LIMIT 1",
            [.uuid(signal)]
        )
        while try await database.execute(statement).isEmpty {
            guard ContinuousClock.now < deadline else {
                throw CommandLineError(.deadline, "a lone signal had no run within \(patience)")
            }
        }
    }
}
