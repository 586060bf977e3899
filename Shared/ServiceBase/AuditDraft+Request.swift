package import Contracts
import Domain
import FoundationEssentials
package import Messaging
import ServiceRuntime

extension AuditDraft {
    /// The entry of what a request has asked for.
    package init(
        _ action: String,
        of object: AuditObject,
        before: AuditValue = .none,
        after: AuditValue = .none,
        reason: String? = nil,
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
            reason: reason,
            requestID: context.requestID,
            traceID: context.traceparent.flatMap { TraceContext(traceparent: $0)?.traceID }
        )
    }
}
