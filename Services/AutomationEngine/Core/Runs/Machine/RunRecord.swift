import Contracts
import Crypto
import Domain
import FoundationEssentials
import JSON

/// A run with its steps, as its rows hold it.
struct RunRecord: Sendable {
    /// One step of a run.
    struct Step: Sendable {
        var name: String
        var actionKey: String
        var status: StepStatus
        var attempt: Int
        /// How many attempts there were before the run was last resumed; they do not count against the retries.
        var attemptsBefore = 0
        var input: [UInt8]?
        /// SHA-256 of the input, in hex.
        var inputHash: String?
        var output: [UInt8]?
        /// SHA-256 of the output, in hex.
        var outputHash: String?
        var error: [UInt8]?
        /// In a dry run, what the step would have done.
        var simulation: [UInt8]?
        /// Microseconds of Unix time.
        var startedAt: Int64?
        /// Microseconds of Unix time.
        var finishedAt: Int64?
        /// The position of the step that this is an item of; nil for a step itself.
        var parent: Int?
        /// The item's place among those of its step, from 0.
        var item: Int?
        /// Whether the step's items have begun: it makes no attempt itself.
        var isRepeated = false
        /// How many items it has; rows beyond are of an earlier turn of its branch.
        var itemCount = 0
        /// How much longer a waiting step waits; nil where its time has come.
        var remaining: Duration?

        /// Whether it waits for something besides a time.
        var awaits = false
        /// Whether that is the answer of a service to an attempt, which has not ended.
        var isSent = false
        /// Whether what it waits for was looked at right now: only then is its time known to be over without it.
        var isLookedAt = false
        /// What has come of what it waits for, as JSON; nil until it has.
        var arrival: [UInt8]?

        /// Whether an attempt of it is under way.
        var isUnderWay: Bool { status == .running && !isRepeated }

        /// Sets the input, with its hash where that is known.
        mutating func setInput(_ bytes: [UInt8], hash: String?) {
            input = bytes
            inputHash = hash ?? SHA256.hash(data: bytes).hex
        }

        /// Sets the output; one that is the input shares its hash.
        mutating func setOutput(_ bytes: [UInt8]) {
            output = bytes
            outputHash = bytes == input ? inputHash : SHA256.hash(data: bytes).hex
        }
    }

    /// An output is at most this long, in bytes.
    static let maximumOutput = 256 * 1_024
    /// All items of a run together have at most so many rows.
    static let maximumItems = 5_000
    /// The inputs and outputs of all items of a run together are at most this long, in bytes.
    static let maximumItemBytes = 8 * 1_024 * 1_024

    var id: UUID
    var tenant: String
    var automationID: UUID
    var automationKey: String
    var automationVersion: Int
    var signalID: UUID
    /// SHA-256 of the signal's stored event, in hex.
    var eventHash: String
    var isDryRun = false
    var status: RunStatus
    var summary: String
    var error: [UInt8]?
    var traceparent: String?
    /// Microseconds of Unix time.
    var startedAt: Int64
    /// Microseconds of Unix time.
    var finishedAt: Int64?
    var fence: Int64 = 1
    var steps: [Step]
    /// Who waits for its end.
    var caller: RunCaller?
    /// Whether it may have a place among those that may be under way at once, to be given back when it ends.
    var mayHavePlace = true

    /// How long the inputs and outputs of all items are together.
    var itemBytes: Int {
        steps.lazy.filter { $0.parent != nil }.reduce(0) { $0 + ($1.input?.count ?? 0) + ($1.output?.count ?? 0) }
    }

    /// The run's type: what kind of work it is.
    static let type = "automation"

    /// The run's subtype, which begins with its type.
    var subtype: String { "\(Self.type):\(automationKey)" }

    /// SHA-256 of the record, in hex: what the audit log holds of the run.
    var recordHash: String { SHA256.hash(data: recordBytes).hex }

    /// The record in its RFC 8785 form.
    ///
    /// Members are written in sorted order; `docs/architecture.md`, "Audit entries", states the form.
    var recordBytes: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("run")
        writer.beginObject()
        writer.member("automation_id", automationID.lowercased)
        writer.member("automation_key", automationKey)
        writer.member("automation_version", Int64(automationVersion))
        writer.member("dry_run", isDryRun)
        writer.member("error", raw: error)
        writer.member("event", eventHash)
        writer.member("fence", fence)
        writer.member("finished_at", finishedAt.map(Timestamp.format))
        writer.member("run_id", id.lowercased)
        writer.member("signal_id", signalID.lowercased)
        writer.member("started_at", Timestamp.format(startedAt))
        writer.member("status", status.rawValue)
        writer.member("subtype", subtype)
        writer.member("summary", summary)
        writer.member("tenant", tenant)
        writer.member("traceparent", traceparent)
        writer.member("type", Self.type)
        writer.endObject()
        writer.key("steps")
        writer.beginArray()
        for (position, step) in steps.enumerated() {
            step.write(to: &writer, position: position)
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// The entry that the run leaves in the audit log when it has ended.
    func endEntry(at time: Int64) -> AuditDraft {
        var after = JSONWriter()
        after.beginObject()
        after.member("automation_key", automationKey)
        after.member("automation_version", Int64(automationVersion))
        after.member("record", recordHash)
        after.member("signal_id", signalID.lowercased)
        after.member("status", status.rawValue)
        after.endObject()
        return AuditDraft(
            "run.end",
            ofRun: id,
            tenant: tenant,
            after: .canonical(after.bytes),
            traceparent: traceparent,
            at: time
        )
    }

    /// The entry that the run leaves in the audit log when a person must decide how it goes on.
    func parkEntry(at time: Int64) -> AuditDraft {
        var after = JSONWriter()
        after.beginObject()
        after.member("status", status.rawValue)
        after.member("step", steps.first { $0.status == .unknown }?.name)
        after.endObject()
        return AuditDraft(
            "run.parked",
            ofRun: id,
            tenant: tenant,
            after: .canonical(after.bytes),
            traceparent: traceparent,
            at: time
        )
    }

    /// The trace id of a traceparent `00-<trace>-<span>-<flags>`.
    static func traceID(of traceparent: String) -> String? {
        let parts = traceparent.split(separator: "-")
        return parts.count == 4 ? String(parts[1]) : nil
    }
}

extension RunRecord {
    /// A run that begins: every step is queued.
    init(_ automation: CompiledAutomation, signal: IncomingSignal, runID: UUID, at now: Int64) {
        self.init(
            id: runID,
            tenant: automation.tenant,
            automationID: automation.id,
            automationKey: automation.key,
            automationVersion: automation.version,
            signalID: signal.id,
            eventHash: signal.hash,
            isDryRun: signal.isForDryRun,
            status: .running,
            summary: "\(automation.key) for \(signal.type)",
            traceparent: signal.traceparent,
            startedAt: now,
            steps: automation.steps.map { step in
                Step(name: step.name, actionKey: step.action.key, status: .queued, attempt: 0)
            }
        )
        mayHavePlace = automation.admission.concurrency != nil
        caller = signal.caller
    }
}

extension RunRecord.Step {
    fileprivate func write(to writer: inout JSONWriter, position: Int) {
        writer.beginObject()
        writer.member("action_key", actionKey)
        writer.member("attempt", Int64(attempt))
        writer.member("error", raw: error)
        writer.member("finished_at", finishedAt.map(Timestamp.format))
        writer.member("input", inputHash)
        if let item { writer.member("item", Int64(item)) }
        writer.member("name", name)
        writer.member("output", outputHash)
        if let parent { writer.member("parent", Int64(parent)) }
        writer.member("position", Int64(position))
        writer.member("started_at", startedAt.map(Timestamp.format))
        writer.member("status", status.rawValue)
        writer.endObject()
    }
}
