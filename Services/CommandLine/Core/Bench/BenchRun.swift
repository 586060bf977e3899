import Foundation
import Glibc
import Persistence

/// One measurement: an automation of its own, a warm-up, the load, and the proof that nothing is missing.
struct BenchRun: Sendable {
    let client: GatewayClient
    let host: String
    let port: Int
    let automation: BenchAutomation
    let log: AuditLogSize
    let processes: [ProcessTree]
    let concurrency: Int
    let deadline: ContinuousClock.Instant
    /// What happens, for people; figures go elsewhere.
    let tell: @Sendable (String) -> Void

    var request: SignalRequest {
        SignalRequest(host: "\(host):\(port)", token: client.token, type: automation.signalType)
    }

    /// Creates the automation, and waits until that stands in the log, so that it is not counted later.
    ///
    /// - Parameter atRest: Is called before, once the system has come to rest.
    /// - Returns: What that call returns.
    /// - Throws: What that call throws, and ``CommandLineError`` where the system refuses or does not come to rest.
    func prepare<Value>(_ atRest: () throws -> Value) async throws -> Value {
        let before = try await log.settled(deadline: deadline)
        let value = try atRest()
        try await automation.create()
        _ = try await log.wait(until: before + BenchAutomation.auditEntries, deadline: deadline)
        tell("Automation \(automation.key) is active.")
        return value
    }

    /// Posts the signals with these numbers, and measures until the audit entry of the last run is stored.
    ///
    /// - Parameters:
    ///   - figure: The name of the figure.
    ///   - numbers: The numbers of the signals.
    ///   - batch: How many signals a request carries.
    ///   - rate: How many signals a second are posted at most; nil for as many as the connections carry.
    /// - Returns: The figure.
    /// - Throws: ``CommandLineError`` when a signal is refused, or an entry is missing at the deadline.
    func measure(
        _ figure: String,
        _ numbers: Range<Int>,
        batch: Int = 1,
        rate: Int? = nil
    ) async throws -> BenchReport.DurableRuns {
        let before = try await log.settled(deadline: deadline)
        let timesBefore = ProcessTimes.now()
        let ownBefore = Self.ownCPU()
        let load = SignalLoad(
            host: host,
            port: port,
            request: request,
            numbers: numbers,
            batch: batch,
            concurrency: concurrency,
            rate: rate,
            deadline: deadline
        )
        let outcome = try await load.post()
        let stored = try await log.wait(until: before + Int64(numbers.count), deadline: deadline)
        let cpu = try ProcessTimes.now().seconds(since: timesBefore, of: processes)
        return BenchReport.DurableRuns(
            figure: figure,
            signals: numbers.count,
            concurrency: concurrency,
            batch: batch,
            acceptedSeconds: (outcome.acknowledged - outcome.started) / .seconds(1),
            seconds: (stored - outcome.started) / .seconds(1),
            latencies: outcome.latencies,
            cpu: cpu,
            loadCPU: Self.ownCPU() - ownBefore
        )
    }

    /// Makes sure that each of so many signals has exactly its run, and that it succeeded.
    ///
    /// - Throws: ``CommandLineError`` when the figures would be of work that was not done.
    func verify(signals: Int) async throws {
        let succeeded = try await automation.signalsOfRuns(status: "succeeded")
        guard succeeded.count == signals else {
            throw CommandLineError(.answer, "\(succeeded.count) of \(signals) signals have a run that succeeded")
        }
        tell("Each of \(signals) signals has its run, which succeeded.")
    }

    private static func ownCPU() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000_000
    }
}
