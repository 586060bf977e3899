import EventPattern
import Foundation
import JSON

/// Measures what the product promises about its speed, one line of JSON for each figure.
///
/// Without an argument it measures what needs no server; with `audit-append` how fast the log grows, in the database of
/// `BATUTA_DATABASE_URL`, whose log is of no use afterwards.
@main
struct Main {
    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == "audit-append" {
            guard let url = ProcessInfo.processInfo.environment["BATUTA_DATABASE_URL"] else {
                throw Failure()
            }
            return try await AppendBenchmark(url: url).run()
        }
        for count in [10, 1000, 10_000] {
            try EventPatternBenchmark(count: count).run()
        }
        try VerificationBenchmark(count: 1_000_000).run()
    }
}
