private import Foundation
private import JSON
private import NIOHTTP1

extension Installation {
    /// Posts batches from several clients until so many signals are acknowledged, each batch again until it is.
    ///
    /// - Parameters:
    ///   - count: how many signals.
    ///   - size: how many make a batch.
    ///   - prefix: what every id begins with.
    ///   - type: the signals' type.
    ///   - clients: how many post at the same time.
    /// - Throws: `TestSupportError` for an answer that is neither 202 nor 503.
    package func postBatches(_ count: Int, of size: Int, prefix: String, type: String, clients: Int = 4) async throws {
        let batches = (count + size - 1) / size
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<clients {
                group.addTask { [self] in
                    for batch in stride(from: client, to: batches, by: clients) {
                        let first = batch * size
                        let ids = (first..<min(first + size, count)).map { "\(prefix)-\($0)" }
                        while try await !postBatch(ids, type: type) {
                            try await Task.sleep(for: .milliseconds(100))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Posts one batch and notes what is acknowledged; false where it has to be sent again.
    ///
    /// - Throws: `TestSupportError` for an answer that is neither 202 nor 503.
    package func postBatch(_ ids: [String], type: String) async throws -> Bool {
        let data = #"{"text":"\#(String(repeating: "ñ", count: 100))","n":1}"#
        let events = ids.map { SignalBody.event(id: $0, type: type, data: data) }
        for id in ids { history.invoked(id) }
        let answer: HTTPTestClient.Response
        do {
            answer = try await client().send(
                .POST,
                "/api/signals",
                headers: ["Content-Type": "application/cloudevents-batch+json"],
                body: Array("[".utf8) + events.joined(separator: Array(",".utf8)) + Array("]".utf8)
            )
        } catch let error as CancellationError {
            throw error
        } catch {
            history.retrying("\(error)")
            return false
        }
        switch answer.status {
        case 202:
            for signal in try JSONValue(parsing: answer.body)["signals"]?.arrayValue ?? [] {
                guard let id = signal["id"]?.stringValue,
                    let signalID = signal["signal_id"]?.stringValue.flatMap(UUID.init(uuidString:))
                else { throw TestSupportError(.commandFailed, "An answer lacks an id: \(answer.text)") }
                history.acknowledged(id, as: signalID)
            }
            return true
        case 503 where answer.headers.contains(name: "Retry-After"):
            history.retrying("503")
            return false
        default:
            throw TestSupportError(.commandFailed, "A batch was answered \(answer.status): \(answer.text)")
        }
    }
}
