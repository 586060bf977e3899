import EventPattern
import JSON

/// Measures what the product promises about its speed, one line of JSON for each figure.
@main
struct Main {
    static func main() throws {
        for count in [10, 1000, 10_000] {
            try EventPatternBenchmark(count: count).run()
        }
    }
}
