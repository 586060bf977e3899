import Domain
import Metrics
import ServiceBase
package import ServiceRuntime

/// What the engine counts.
struct EngineMetrics: Sendable {
    static let signalsName = "batuta_engine_signals_total"
    static let runsName = "batuta_engine_runs_total"
    static let restingName = "batuta_engine_resting_runs"
    static let putOffName = "batuta_engine_runs_put_off_total"
    static let admissionsName = "batuta_engine_admissions_total"
    static let batchName = "batuta_engine_batch_seconds"

    let fresh = Counter(label: signalsName, dimensions: [("outcome", "processed")])
    let repeated = Counter(label: signalsName, dimensions: [("outcome", "repeated")])
    let succeeded = Counter(label: runsName, dimensions: [("status", "succeeded")])
    let failed = Counter(label: runsName, dimensions: [("status", "failed")])
    let canceled = Counter(label: runsName, dimensions: [("status", "canceled")])
    let batch = Timer(label: batchName)
    private let withoutSlot = Counter(label: putOffName, dimensions: [("limit", "slots")])
    private let overShare = Counter(label: putOffName, dimensions: [("limit", "tenant_share")])
    private let resting = Gauge(label: restingName)

    /// A batch was processed.
    func record(_ outcome: SignalProcessor.Outcome, took duration: Duration) {
        fresh.increment(by: outcome.fresh)
        repeated.increment(by: outcome.received - outcome.fresh)
        batch.recordNanoseconds(Int64(duration / .nanoseconds(1)))
    }

    /// Runs were stored as they stand; those that have ended count, dry runs apart.
    func stored(_ runs: some Sequence<RunRecord>) {
        var counts: [RunStatus: Int] = [:]
        for run in runs where run.status.isFinal && !run.isDryRun {
            counts[run.status, default: 0] += 1
        }
        for (status, count) in counts {
            switch status {
            case .succeeded: succeeded.increment(by: count)
            case .failed: failed.increment(by: count)
            case .canceled: canceled.increment(by: count)
            case .queued, .running, .waiting, .unknown: break
            }
        }
    }

    /// Runs of a batch were stored; what the limits have decided is counted.
    func admitted(_ runs: AdmittedRuns) {
        guard let ledger = runs.ledger else {
            return stored(runs.begun.lazy.map(\.machine.record))
        }
        // A run that has ended is no longer changed by its batch.
        stored(runs.updates.map(\.record) + runs.superseded.filter(\.isStored).map(\.update.record))
        var counts: [String: Int] = [:]
        for entry in ledger.entries.values where entry.isHeld {
            counts["held_\(entry.stage.reason)", default: 0] += 1
        }
        for refusal in ledger.refusals {
            counts[refusal.reason.outcome, default: 0] += 1
        }
        counts["superseded"] = runs.superseded.count
        for (outcome, count) in counts where count > 0 {
            Counter(label: Self.admissionsName, dimensions: [("outcome", outcome)]).increment(by: count)
        }
    }

    /// A person was refused a run, of which nothing is stored.
    func refused(_ refusal: AdmissionRefusal) {
        Counter(label: Self.admissionsName, dimensions: [("outcome", refusal.reason.outcome)]).increment()
    }

    /// A run has to wait for a slot.
    func putOff(_ admission: RunSlots.Admission) {
        switch admission {
        case .full: withoutSlot.increment()
        case .tenantFull: overShare.increment()
        case .entered, .heldAlready: break
        }
    }

    /// So many runs are left alone now.
    func rest(_ count: Int) {
        resting.record(count)
    }
}

extension EngineKeys {
    /// The metrics of the engine, with their help.
    package static let metrics: [MetricDescription] = ServiceBase.metrics + own

    private static let own: [MetricDescription] = [
        .counter(EngineMetrics.signalsName, help: "Signals taken from the broker.", labels: ["outcome"]),
        .counter(EngineMetrics.runsName, help: "Runs that have ended.", labels: ["status"]),
        .gauge(
            SecretResealer.gaugeLabel,
            help: "Secrets that are sealed with another key than the first of the key file.",
            labels: ["kind"]
        ),
        .counter(
            EngineMetrics.putOffName,
            help: "Runs that were queued because the replica, or their tenant's share of it, was full.",
            labels: ["limit"]
        ),
        DeadLetterGauge.description,
        .counter(
            EngineMetrics.admissionsName,
            help: "What limits, dedupe keys and pauses have decided: runs that are held, skipped, canceled for others.",
            labels: ["outcome"]
        ),
        .counter(
            ActionAnswerIntake.counterName,
            help: "Answers of services to calls over the broker: taken by the step that waits, or awaited by nobody.",
            labels: ["outcome"]
        ),
        .gauge(EngineMetrics.restingName, help: "Runs that this replica could not resume, and tries again."),
        .histogram(EngineMetrics.batchName, help: "Time of one batch, from its reading to its commit."),
    ]
}
