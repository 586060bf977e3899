import Domain
import FoundationEssentials

/// Executes the steps of a run: the one function by which everything executes.
///
/// Every action of this release is pure, so a run completes where it is created: in the transaction of its batch.
struct RunExecutor: Sendable {
    /// A step's output is at most this long, in bytes.
    static let maximumOutput = 256 * 1_024

    /// Microseconds of Unix time.
    var now: @Sendable () -> Int64

    /// Executes an automation for a signal.
    ///
    /// - Parameters:
    ///   - automation: The version that was in force.
    ///   - signal: The signal that matched.
    ///   - runID: The run's id, claimed in the dedupe table.
    /// - Returns: The run, ended.
    func execute(_ automation: CompiledAutomation, for signal: IncomingSignal, runID: UUID) -> RunRecord {
        let startedAt = now()
        var run = RunRecord(
            id: runID,
            tenant: automation.tenant,
            automationID: automation.id,
            automationKey: automation.key,
            automationVersion: automation.version,
            signalID: signal.id,
            eventHash: signal.hash,
            status: .running,
            summary: "\(automation.key) for \(signal.type)",
            traceparent: signal.traceparent,
            startedAt: startedAt,
            steps: []
        )
        for step in automation.steps {
            run.steps.append(execute(step))
        }
        run.status = run.steps.allSatisfy { $0.status == .succeeded } ? .succeeded : .failed
        run.finishedAt = now()
        return run
    }

    /// `data.transform`: the output is the resolved input.
    private func execute(_ step: CompiledAutomation.Step) -> RunRecord.Step {
        let startedAt = now()
        guard step.input.count <= Self.maximumOutput else {
            return RunRecord.Step(
                name: step.name,
                actionKey: step.actionKey,
                status: .failed,
                attempt: 1,
                input: step.input,
                inputHash: step.inputHash,
                error: Array(#"{"code":"output_too_large","detail":"The output is longer than 256 KiB."}"#.utf8),
                startedAt: startedAt,
                finishedAt: now()
            )
        }
        return RunRecord.Step(
            name: step.name,
            actionKey: step.actionKey,
            status: .succeeded,
            attempt: 1,
            input: step.input,
            inputHash: step.inputHash,
            output: step.input,
            outputHash: step.inputHash,
            startedAt: startedAt,
            finishedAt: now()
        )
    }
}
