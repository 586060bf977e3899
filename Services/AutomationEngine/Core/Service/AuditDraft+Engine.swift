import Contracts
import Domain
import FoundationEssentials

extension AuditActor {
    /// The engine, where nobody has asked it for what it does.
    static let engine = AuditActor(type: .system, id: "automation-engine")
}

extension AuditDraft {
    /// The entry of what the engine itself has done with a run.
    ///
    /// - Parameters:
    ///   - action: What it was.
    ///   - run: The run.
    ///   - tenant: Whose run it is.
    ///   - before: What was before.
    ///   - after: What is afterwards.
    ///   - reason: A sentence for people.
    ///   - traceparent: The run's trace.
    ///   - time: Microseconds of Unix time.
    init(
        _ action: String,
        ofRun run: UUID,
        tenant: String,
        before: AuditValue = .none,
        after: AuditValue,
        reason: String? = nil,
        traceparent: String?,
        at time: Int64
    ) {
        self.init(
            id: UUIDv7.make(),
            time: Timestamp(microseconds: time),
            tenant: tenant,
            actor: .engine,
            action: action,
            object: AuditObject(type: "run", id: run.lowercased),
            before: before,
            after: after,
            reason: reason,
            traceID: traceparent.flatMap(RunRecord.traceID)
        )
    }
}
