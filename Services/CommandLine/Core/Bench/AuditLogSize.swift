import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Persistence

/// How many entries the audit log holds, from where it costs least to ask.
enum AuditLogSize: Sendable {
    /// The head of the log in the database.
    case database(PostgresClient)
    /// The audit-writer's metrics: entries appended since it started.
    case metrics(String)

    private static let metric = "batuta_audit_entries_appended_total"

    /// How long to wait between two askings: seldom enough not to show in what is measured.
    var interval: Duration {
        switch self {
        case .database: .milliseconds(50)
        case .metrics: .milliseconds(200)
        }
    }

    /// The number of entries now; only its growth means something.
    func read() async throws -> Int64 {
        switch self {
        case .database(let client):
            guard let row = try await client.execute(PostgresStatement("SELECT size FROM audit.head")).first else {
                throw CommandLineError(.answer, "the audit log has no head")
            }
            return try row.decode(0, as: Int64.self)
        case .metrics(let url):
            return try await readMetrics(url)
        }
    }

    /// Waits until the log holds so many entries.
    ///
    /// - Throws: ``CommandLineError`` when the deadline passes first.
    /// - Returns: When it was seen.
    func wait(until size: Int64, deadline: ContinuousClock.Instant) async throws -> ContinuousClock.Instant {
        while true {
            let now = try await read()
            if now >= size { return .now }
            guard ContinuousClock.now < deadline else {
                throw CommandLineError(.deadline, "\(size - now) audit entries were still not stored at the deadline")
            }
            try await Task.sleep(for: interval)
        }
    }

    /// Waits until nothing has been added for a second, so that what comes later is the measurement's own.
    ///
    /// - Throws: ``CommandLineError`` when the log never rests before the deadline.
    /// - Returns: The number of entries.
    func settled(deadline: ContinuousClock.Instant) async throws -> Int64 {
        var size = try await read()
        var since = ContinuousClock.now
        while ContinuousClock.now - since < .seconds(1) {
            guard ContinuousClock.now < deadline else {
                throw CommandLineError(.deadline, "something else uses the system: its audit log grows without a pause")
            }
            try await Task.sleep(for: interval)
            let now = try await read()
            guard now == size else {
                size = now
                since = .now
                continue
            }
        }
        return size
    }

    private func readMetrics(_ url: String) async throws -> Int64 {
        let text: String
        do {
            let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(5))
            let body = try await response.body.collect(upTo: 8 << 20)
            text = String(decoding: body.readableBytesView, as: UTF8.self)
        } catch {
            throw CommandLineError(.unreachable, "the audit-writer's metrics at \(url) cannot be read: \(error)")
        }
        guard text.contains("# TYPE ") else {
            throw CommandLineError(.answer, "what \(url) answers is no text of metrics")
        }
        // A counter that has not counted yet may be missing.
        return Self.value(of: Self.metric, in: text) ?? 0
    }

    /// The sum of a metric's samples in the Prometheus text format; nil where it has none.
    static func value(of metric: String, in text: String) -> Int64? {
        var total: Int64?
        for line in text.split(separator: "\n") where line.hasPrefix(metric) {
            let rest = line.dropFirst(metric.count)
            guard rest.first == " " || rest.first == "{", let number = rest.split(separator: " ").last,
                let value = Double(number).flatMap({ Int64(exactly: $0.rounded()) })
            else { continue }
            total = (total ?? 0) &+ value
        }
        return total
    }
}
