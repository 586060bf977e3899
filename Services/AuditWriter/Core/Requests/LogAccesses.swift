package import Contracts
package import Messaging
import ServiceBase

/// Leaves an entry for each query and each export of the log itself.
package struct LogAccesses: Sendable {
    private let lanes: LaneGroup

    package init(lanes: LaneGroup) {
        self.lanes = lanes
    }

    /// Records that somebody has read the log of a tenant.
    ///
    /// - Parameters:
    ///   - action: `audit.query` or `audit.export`.
    ///   - asked: What was asked for.
    ///   - context: By whom.
    /// - Throws: `LaneError` or `PostgresError`; then nobody is to be shown anything.
    package func record(_ action: String, _ asked: AuditValue, _ context: RequestContext) async throws {
        let object = AuditObject(type: "audit_log", id: context.tenant)
        try await lanes.change(deadline: context.deadline) { _ in
            .made((), AuditDraft(action, of: object, after: asked, by: context))
        }
    }
}
