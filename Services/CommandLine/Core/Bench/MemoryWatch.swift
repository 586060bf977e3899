/// Reads the memory of some process trees, at once or while something runs.
struct MemoryWatch: Sendable {
    let trees: [ProcessTree]
    /// Told of each reading while something runs.
    var onReading: @Sendable () -> Void = {}
    /// Seldom enough not to show in what is measured.
    static let interval: Duration = .milliseconds(200)
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
        try await withThrowingTaskGroup(of: [ProcessMemory].self) { group in
            group.addTask { try await watch() }
            let result = try await work()
            group.cancelAll()
            return (result, try await group.next() ?? [])
        }
    }

    /// Reads until the task is cancelled, at least once.
    @concurrent
    private func watch() async throws -> [ProcessMemory] {
        var members = members()
        var peak = try read(members)
        var readings = 1
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            if readings % Self.readingsPerLookup == 0 { members = self.members() }
            peak = zip(peak, try read(members)).map { $0.maximum($1) }
            onReading()
            readings += 1
        }
        return peak
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
