/// Reads the memory of some process trees, at once or while something runs.
struct MemoryWatch: Sendable {
    let trees: [ProcessTree]
    /// Told of each reading while something runs.
    var onReading: @Sendable () -> Void = {}
    /// Seldom enough not to show in what is measured.
    var interval: Duration = .milliseconds(200)
    /// Who belongs to a tree is looked up once in so many readings, because that reads every process of the machine.
    private static let readingsPerLookup = 10

    /// The memory of each tree now, in the order of the trees.
    func now() throws(CommandLineError) -> [ProcessMemory] {
        try read(members())
    }

    /// The largest memory of each tree while the work runs, and what the work returns.
    func peak<Result: Sendable>(
        during work: () async throws -> Result
    ) async throws -> (result: Result, peak: [ProcessMemory]) {
        let (result, readings) = try await readings(during: work)
        return (result, Self.peak(of: readings))
    }

    /// The memory of each tree again and again while the work runs, and what the work returns.
    func readings<Result: Sendable>(
        during work: () async throws -> Result
    ) async throws -> (result: Result, readings: [[ProcessMemory]]) {
        try await withThrowingTaskGroup(of: [[ProcessMemory]].self) { group in
            group.addTask { try await watch() }
            let result = try await work()
            group.cancelAll()
            return (result, try await group.next() ?? [])
        }
    }

    /// The largest memory of each tree in some readings.
    static func peak(of readings: some Collection<[ProcessMemory]>) -> [ProcessMemory] {
        readings.dropFirst().reduce(readings.first ?? []) { zip($0, $1).map { $0.maximum($1) } }
    }

    /// Reads until the task is cancelled, at least once.
    @concurrent
    private func watch() async throws -> [[ProcessMemory]] {
        var members = members()
        var readings = [try read(members)]
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            if readings.count % Self.readingsPerLookup == 0 { members = self.members() }
            readings.append(try read(members))
            onReading()
        }
        return readings
    }

    private func members() -> [[Int32]] {
        let times = ProcessTimes.now()
        return trees.map { times.members(of: $0.pid) }
    }

    private func read(_ members: [[Int32]]) throws(CommandLineError) -> [ProcessMemory] {
        var memories: [ProcessMemory] = []
        for (tree, members) in zip(trees, members) {
            memories.append(try ProcessMemory.now(of: tree, members: members))
        }
        return memories
    }
}
