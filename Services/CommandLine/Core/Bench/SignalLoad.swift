import Foundation
import Glibc

/// Posts many signals over a fixed number of connections, each busy with one request at a time.
///
/// One thread and one call of poll for all, because the load shares the machine with what it measures.
struct SignalLoad: Sendable {
    /// What came of it.
    struct Outcome: Sendable {
        /// Just before the first byte of the first request.
        var started: ContinuousClock.Instant
        /// Just after the last acknowledgement.
        var acknowledged: ContinuousClock.Instant
        /// From the first byte of each request to its whole answer.
        var latencies: Latencies
    }

    let host: String
    let port: Int
    let request: SignalRequest
    /// The numbers of the signals, each used for one.
    let numbers: Range<Int>
    /// How many signals a request carries; one is posted as an event, more as a batch.
    let batch: Int
    let concurrency: Int
    /// How many signals a second are posted at most; nil for as many as the connections carry.
    var rate: Int?
    let deadline: ContinuousClock.Instant

    /// Posts them all, on a thread of its own.
    ///
    /// - Throws: ``CommandLineError`` with the first answer that is no 202, or when the deadline has passed.
    func post() async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Result { try postBlocking() }) }.start()
        }
    }

    private func postBlocking() throws(CommandLineError) -> Outcome {
        let requests = (numbers.count + batch - 1) / batch
        var connections: [LoadConnection] = []
        for _ in 0..<max(1, min(concurrency, requests)) {
            connections.append(try LoadConnection(host: host, port: port))
        }
        var entries = connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        var left = numbers
        var outcome = Outcome(started: .now, acknowledged: .now, latencies: Latencies(capacity: requests))
        var idle = connections
        while outcome.latencies.count < requests {
            let pause = try post(from: &left, over: &idle, since: outcome.started)
            _ = poll(&entries, nfds_t(entries.count), pause)
            guard ContinuousClock.now < deadline else {
                throw CommandLineError(
                    .deadline,
                    "only \(outcome.latencies.count) of \(requests) requests were acknowledged before the deadline"
                )
            }
            for (entry, connection) in zip(entries, connections) where entry.revents != 0 {
                guard let response = try connection.receive() else { continue }
                try Self.check(response)
                outcome.acknowledged = .now
                outcome.latencies.record(outcome.acknowledged - connection.sentAt)
                idle.append(connection)
            }
        }
        return outcome
    }

    /// Sends what is due over the connections that have nothing to do.
    ///
    /// - Returns: For how many milliseconds nothing more is due.
    private func post(
        from left: inout Range<Int>,
        over idle: inout [LoadConnection],
        since start: ContinuousClock.Instant
    ) throws(CommandLineError) -> Int32 {
        while let connection = idle.last {
            if let rate {
                let due = start + .seconds(1) * (Double(left.lowerBound - numbers.lowerBound) / Double(rate))
                let pause = (due - .now) / .milliseconds(1)
                guard pause <= 0 else { return Int32(min(pause.rounded(.up), 500)) }
            }
            guard let next = next(of: &left) else { break }
            try connection.send(next)
            idle.removeLast()
        }
        return 500
    }

    /// The request of the next signals; nil when all have been taken.
    private func next(of left: inout Range<Int>) -> [UInt8]? {
        guard let first = left.first else { return nil }
        guard batch > 1 else {
            left = left.dropFirst()
            return request.bytes(first)
        }
        let numbers = left.prefix(batch)
        left = left.dropFirst(batch)
        return request.bytes(batch: numbers)
    }

    /// - Throws: ``CommandLineError`` unless the signal was accepted on a connection that stays open.
    static func check(_ response: HTTPResponseReader.Response) throws(CommandLineError) {
        guard response.status == 202 else {
            let body = String(decoding: response.body.prefix(1_000), as: UTF8.self)
            throw CommandLineError(.answer, "a signal was answered with \(response.status): \(body)")
        }
        guard !response.closes else {
            throw CommandLineError(.answer, "the gateway closes the connection after an answer")
        }
    }
}
