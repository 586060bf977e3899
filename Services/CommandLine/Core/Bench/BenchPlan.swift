import Persistence

/// What one invocation measures, in this order; each figure is printed as soon as it stands.
struct BenchPlan {
    let run: BenchRun
    /// Where the commit of a lone signal's run is seen; nil leaves these out.
    let database: PostgresClient?
    let signals: Int
    let warmUp: Int
    /// How many signals a request carries in the load that posts batches; 0 leaves it out.
    let batch: Int
    let loneSignals: Int
    let listings: Int
    /// Prints a figure.
    let show: (any BenchFigure) -> Void

    /// How long after a load its memory is read.
    private static let afterLoad: Duration = .seconds(3)

    /// Measures all of it, and makes sure that no signal is without its run.
    func perform() async throws {
        let watch = MemoryWatch(trees: run.processes)
        let rest = try await run.prepare { try watch.now() }
        let suffix = run.automation.steps.suffix
        var sent = warmUp
        if warmUp > 0 {
            _ = try await run.measure("warm_up", 0..<warmUp)
            run.tell("Warmed up with \(warmUp) signals.")
        }
        for (name, batch) in [("durable_runs", 1), ("durable_runs_batched", batch)] where batch > 0 {
            try await measureLoad(name + suffix, sent..<(sent + signals), batch: batch, watch, rest: rest)
            sent += signals
        }
        if let database, loneSignals > 0 {
            show(try await lone(sent..<(sent + loneSignals), figure: "lone_signal" + suffix, database: database))
            sent += loneSignals
        }
        try await measureListings()
        try await run.verify(signals: sent)
        try await run.automation.deactivate()
    }

    private func measureLoad(
        _ figure: String,
        _ numbers: Range<Int>,
        batch: Int,
        _ watch: MemoryWatch,
        rest: [ProcessMemory]
    ) async throws {
        let (report, peak) = try await watch.peak { try await run.measure(figure, numbers, batch: batch) }
        show(report)
        guard !watch.trees.isEmpty else { return }
        try await Task.sleep(for: Self.afterLoad)
        let after = try watch.now()
        for (index, tree) in watch.trees.enumerated() {
            show(
                BenchReport.Memory(
                    load: figure,
                    process: tree.name,
                    rest: rest[index],
                    peak: peak[index],
                    after: after[index]
                )
            )
        }
    }

    private func lone(
        _ numbers: Range<Int>,
        figure: String,
        database: PostgresClient
    ) async throws -> BenchReport.LoneSignals {
        let lone = LoneSignals(
            host: run.host,
            port: run.port,
            request: run.request,
            database: database,
            patience: .seconds(10)
        )
        var report = try await lone.post(numbers)
        report.figure = figure
        return report
    }

    private func measureListings() async throws {
        guard listings > 0 else { return }
        let load = ListingLoad(
            host: run.host,
            port: run.port,
            token: run.client.token,
            automation: run.automation,
            requests: listings
        )
        for listing in try await load.measure() { show(listing) }
    }
}
