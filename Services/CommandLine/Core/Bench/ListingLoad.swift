/// Asks for the first page of the lists that people look at, one request after the other.
struct ListingLoad: Sendable {
    let host: String
    let port: Int
    let token: String
    let automation: BenchAutomation
    /// How many requests each list gets.
    let requests: Int

    /// The lists: all of it, and what a filter leaves.
    private var lists: [(path: String, filter: (name: String, value: String)?)] {
        [
            ("/api/runs", nil), ("/api/runs", ("automation_key", automation.key)),
            ("/api/runs", ("status", "succeeded")), ("/api/signals", nil),
            ("/api/signals", ("type", automation.signalType)),
        ]
    }

    /// Measures each list.
    ///
    /// - Throws: ``CommandLineError`` with the first answer that is no 200.
    func measure() async throws -> [BenchReport.Listing] {
        let line = try LoneConnection(host: host, port: port)
        var listings: [BenchReport.Listing] = []
        for (path, filter) in lists {
            let target = filter.map { "\(path)?\($0.name)=\($0.value)" } ?? path
            let request = """
                GET \(target) HTTP/1.1\r
                Host: \(host):\(port)\r
                Authorization: Bearer \(token)\r
                Accept: application/json\r\n\r\n
                """
            var latencies = Latencies(capacity: requests)
            for _ in 0..<requests {
                let (sentAt, response) = try await line.exchange(Array(request.utf8))
                latencies.record(.now - sentAt)
                guard response.status == 200 else {
                    throw CommandLineError(.answer, "GET \(target) was answered with \(response.status)")
                }
            }
            listings.append(BenchReport.Listing(path: path, filter: filter?.name, latencies: latencies))
        }
        return listings
    }
}
