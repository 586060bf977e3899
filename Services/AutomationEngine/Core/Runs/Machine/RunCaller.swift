import Domain
import FoundationEssentials
import JSON

/// The step of another run that waits for the end of this one.
struct RunCaller: Equatable, Sendable {
    var run: UUID
    var position: Int
    /// The signal by which it has started this run.
    var signal: UUID

    /// As the metadata of the signal name it.
    private enum Member {
        static let run = "called_by_run"
        static let step = "called_by_step"
        static let position = "waits_at"
    }

    /// Reads the metadata of an aimed signal; nil where no step waits for what it starts.
    init?(_ metadata: JSONView, signal: UUID) {
        guard let run = metadata[Member.run]?.stringValue.flatMap(UUID.init(uuidString:)),
            let position = metadata[Member.position]?.stringValue.flatMap(Int32.init)
        else {
            return nil
        }
        self.run = run
        self.position = Int(position)
        self.signal = signal
    }

    /// What the signal says of the step that starts a run.
    ///
    /// - Parameters:
    ///   - run: The run of the step.
    ///   - position: The step's position.
    ///   - waits: Whether the step waits for the end of the run.
    /// - Returns: Members of the metadata.
    static func metadata(of run: RunRecord, _ position: Int, waits: Bool) -> [(name: String, value: String)] {
        [(Member.run, run.id.lowercased), (Member.step, run.steps[position].name)]
            + (waits ? [(Member.position, String(position))] : [])
    }
}

// MARK: - What it learns

extension RunCaller {
    /// What stands around the output of a run is at most this long, in bytes.
    private static let maximumFrame = 256

    /// What a step learns of the run that it waits for.
    ///
    /// - Parameter run: The run, which has ended.
    /// - Returns: The step's output; an object with an error where the run did not succeed.
    static func answer(of run: RunRecord) -> [UInt8] {
        guard run.status == .succeeded else {
            let reason = run.error.flatMap {
                try? JSONDocument(parsing: $0, limits: .wrapped).root["detail"]?.stringValue
            }
            return answer(
                StepError(
                    code: "run_\(run.status.rawValue)",
                    detail:
                        "The run of \"\(run.automationKey)\" has \(run.status == .canceled ? "been canceled" : "failed")"
                        + (reason.map { ": \($0)" } ?? "."),
                    members: ["run_id": .string(run.id.lowercased)]
                )
            )
        }
        let last = run.steps.last { $0.parent == nil && $0.status == .succeeded && $0.output != nil }
        guard (last?.output?.count ?? 0) + maximumFrame <= RunRecord.maximumOutput else {
            return answer(
                StepError(
                    code: "output_too_large",
                    detail: "The run of \"\(run.automationKey)\" has succeeded; its output is too long to hand on.",
                    members: ["run_id": .string(run.id.lowercased)]
                )
            )
        }
        var writer = JSONWriter(capacity: 128 + (last?.output?.count ?? 0))
        writer.beginObject()
        writer.member("output", raw: last?.output)
        writer.member("run_id", run.id.lowercased)
        writer.member("status", run.status.rawValue)
        writer.endObject()
        return writer.bytes
    }

    /// What a step learns whose signal has started no run.
    ///
    /// - Parameters:
    ///   - refusal: What stood in the way; nil where the automation is not active.
    ///   - automation: What the signal was aimed at.
    /// - Returns: An object with an error.
    static func answer(refusedBy refusal: AdmissionRefusal?, of automation: String) -> [UInt8] {
        guard let refusal else {
            return answer(
                StepError(code: "not_active", detail: "There is no active automation with the key \"\(automation)\".")
            )
        }
        return answer(
            StepError(
                code: refusal.reason == .deduplicated ? "deduplicated" : "limit_reached",
                detail: "No run of \"\(automation)\" was started: \(refusal.detail).",
                members: refusal.run.map { ["run_id": .string($0.lowercased)] } ?? [:]
            )
        )
    }

    /// The error in an answer; nil where the run has succeeded.
    static func error(in answer: [UInt8]) -> StepError? {
        guard let root = try? JSONDocument(parsing: answer, limits: .wrapped).root else {
            return .notExecutable("What has become of the run cannot be read.")
        }
        guard let error = root["error"] else {
            return nil
        }
        return StepError(
            code: error["code"]?.stringValue ?? "run_failed",
            detail: error["detail"]?.stringValue ?? "The run has failed.",
            members: error["run_id"]?.stringValue.map { ["run_id": .string($0)] } ?? [:]
        )
    }

    private static func answer(_ error: StepError) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("error", raw: error.bytes)
        writer.endObject()
        return writer.bytes
    }
}
