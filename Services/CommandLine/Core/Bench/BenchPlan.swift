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
    /// How many seconds a load at half the speed of the first one lasts; 0 leaves it out.
    let soak: Int
    /// Prints a figure.
    let show: (any BenchFigure) -> Void

    /// How long after a load its memory is read.
    private static let afterLoad: Duration = .seconds(3)

    /// Measures all of it, and makes sure that no signal is without its run.
    func perform() async throws {
        let watch = MemoryWatch(trees: run.processes)
        let rest = try await run.prepare { try watch.now() }
        if case .parked = run.automation.steps, let database {
            show(try await ParkedRuns(run: run, database: database, signals: signals).measure())
            try await run.verify(signals: signals)
            return try await run.automation.deactivate()
        }
        let suffix = run.automation.steps.suffix
        var sent = warmUp
        var speed = 0.0
        if warmUp > 0 {
            _ = try await run.measure("warm_up", 0..<warmUp)
            run.tell("Warmed up with \(warmUp) signals.")
        }
        for (name, batch) in [("durable_runs", 1), ("durable_runs_batched", batch)] where batch > 0 {
            let report = try await measureLoad(name + suffix, sent..<(sent + signals), batch: batch, watch, rest: rest)
            if batch == 1 { speed = report.runsPerSecond }
            sent += signals
        }
        if let database, loneSignals > 0 {
            show(try await lone(sent..<(sent + loneSignals), figure: "lone_signal" + suffix, database: database))
            sent += loneSignals
        }
        try await measureListings()
        if soak > 0 {
            let rate = max(1, Int(speed / 2))
            try await measureSoak("soak" + suffix, sent..<(sent + rate * soak), rate: rate, watch)
            sent += rate * soak
        }
        try await run.verify(signals: sent)
        try await run.automation.deactivate()
    }

    private func measureLoad(
        _ figure: String,
        _ numbers: Range<Int>,
        batch: Int,
        _ watch: MemoryWatch,
        rest: [ProcessMemory]
    ) async throws -> BenchReport.DurableRuns {
        let (report, peak) = try await watch.peak { try await run.measure(figure, numbers, batch: batch) }
        show(report)
        guard !watch.trees.isEmpty else { return report }
        try await Task.sleep(for: Self.afterLoad)
        let after = try watch.now()
        for (index, tree) in watch.trees.enumerated() {
            show(
                BenchReport.Memory(
                    load: figure,
                    concurrency: report.concurrency,
                    process: tree.name,
                    rest: rest[index],
                    peak: peak[index],
                    after: after[index]
                )
            )
        }
        return report
    }

    /// How many parts the time of a long load is told in.
    private static let parts = 10

    private func measureSoak(_ figure: String, _ numbers: Range<Int>, rate: Int, _ watch: MemoryWatch) async throws {
        run.tell("Posting \(rate) signals a second for \(soak) seconds.")
        var watch = watch
        watch.interval = .seconds(1)
        let (report, readings) = try await watch.readings { try await run.measure(figure, numbers, rate: rate) }
        show(report)
        for (index, tree) in watch.trees.enumerated() {
            let parts = (0..<Self.parts).map { part in
                let bounds = [part, part + 1].map { $0 * readings.count / Self.parts }
                return MemoryWatch.peak(of: readings[bounds[0]..<max(bounds[1], bounds[0] + 1)])[index].privateBytes
            }
            show(BenchReport.MemoryOverTime(load: figure, process: tree.name, parts: parts))
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
