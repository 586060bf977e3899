private import Foundation
private import JSON

extension Replica {
    /// One sample of its metrics, such as `batuta_outbox_waiting{destination="signals"}`.
    ///
    /// - Throws: `TestSupportError` where there is no such sample.
    package func metric(_ sample: String) async throws -> Double {
        let text = try await metrics.get("/metrics").text
        for line in text.split(separator: "\n") where line.hasPrefix(sample + " ") {
            if let value = Double(line.dropFirst(sample.count + 1)) { return value }
        }
        throw TestSupportError(.commandFailed, "\(name) has no sample \(sample).")
    }

    /// What `/readyz` says of one of its checks, with its status: `noted: …`; nil where it says nothing.
    package func finding(_ check: String) async throws -> String? {
        let report = try JSONValue(parsing: try await metrics.get("/readyz").body)
        let finding = report["checks"]?.arrayValue?.first { $0["name"]?.stringValue == check }
        return finding.map { "\($0["status"]?.stringValue ?? ""): \($0["reason"]?.stringValue ?? "")" }
    }

    /// The memory that belongs to it alone, in MiB; pages of its executable do not count.
    ///
    /// - Throws: `TestSupportError` where it does not run.
    package func privateMegabytes() throws -> Double {
        let path = "/proc/\(process?.pid ?? 0)/smaps_rollup"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw TestSupportError(.notStarted, "The memory of \(name) cannot be read.")
        }
        let kilobytes = text.split(separator: "\n").first { $0.hasPrefix("Private_Dirty:") }
            .flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Double($0) }
        return (kilobytes ?? 0) / 1_024
    }

    /// Everything that the process that runs now has written.
    package var log: String { process?.log ?? "" }
}
