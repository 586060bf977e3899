import Foundation
import JSON
import TestSupport
import Testing

extension IntegrationTests {
    /// What was answered holds for every signal accepted afterwards, on each of three engines that work side by side.
    @Test("Judging: an answered change holds in every replica for each signal accepted later")
    func aChangeHoldsAtOnce() async throws {
        let count = 1_000
        let family = Self.unique("moment")
        // Each automation is activated once, and a signal follows the answer at once.
        let met = try await inLanes(count) { number in
            let key = "\(family)-\(number)"
            try await installation.automate(key, on: "\(family).\(number)")
            return try await installation.post(
                id: "\(key)-on",
                type: "\(family).\(number)",
                gateway: number / 4 % 2
            ).signalID
        }
        try await processed(count, of: family)
        #expect(try await ran(met) == count, "a signal after an activation's answer missed the automation")

        // The same the other way round, when nothing of the first half is under way any more.
        let missed = try await inLanes(count) { number in
            let key = "\(family)-\(number)"
            try await installation.change(key, "deactivate")
            return try await installation.post(
                id: "\(key)-off",
                type: "\(family).\(number)",
                gateway: number / 4 % 2
            ).signalID
        }
        try await processed(2 * count, of: family)
        #expect(try await ran(missed) == 0, "a signal after a deactivation's answer met the automation")
    }

    /// Does something for each number, four at a time.
    private func inLanes(_ count: Int, _ body: @Sendable @escaping (Int) async throws -> UUID) async throws -> [UUID] {
        let lanes = 4
        return try await withThrowingTaskGroup(of: [UUID].self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    var results: [UUID] = []
                    for number in stride(from: lane, to: count, by: lanes) { results.append(try await body(number)) }
                    return results
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// How many of some signals have a run.
    private func ran(_ signals: [UUID]) async throws -> Int {
        let list = signals.map { "'\($0.uuidString)'" }.joined(separator: ",")
        return try await installation.count(
            "SELECT count(*) FROM engine.automation_runs WHERE signal_id IN (\(list))"
        )
    }

    private func processed(_ count: Int, of family: String) async throws {
        try await eventually("every signal is processed", within: .seconds(60)) {
            try await installation.count("SELECT count(*) FROM engine.inbox WHERE signal_type LIKE '\(family).%'")
        } until: {
            $0 == count
        }
    }
}
