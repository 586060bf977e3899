import Contracts
import Domain
import FoundationEssentials
import Messaging

extension AuditDraft {
    /// The entry of a change that a request has asked for.
    init(
        _ action: String,
        of object: AuditObject,
        before: AuditValue,
        after: AuditValue,
        by context: RequestContext
    ) {
        self.init(
            id: UUIDv7.make(),
            time: .now(),
            tenant: context.tenant,
            actor: context.actor,
            action: action,
            object: object,
            before: before,
            after: after,
            requestID: context.requestID,
            traceID: context.traceparent.flatMap(RunRecord.traceID)
        )
    }
}
