import Contracts
import JSON
import Messaging

extension AutomationService {
    /// Makes new runs of an automation wait; those under way go on.
    func pause(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        try await setPaused(true, "pause", body, context)
    }

    /// Lets the runs go that wait, within the limits, and new ones begin.
    func resume(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        try await setPaused(false, "resume", body, context)
    }

    private func setPaused(
        _ isPaused: Bool,
        _ action: String,
        _ body: JSONDocument,
        _ context: RequestContext
    ) async throws -> Reply {
        try await change(body, AutomationCondition(body.root), context: context) { automation, transaction in
            guard automation.isPaused != isPaused else {
                return .none(Reply(status: 200, body: automation.answer))
            }
            let changed = try await AutomationRepository.setPaused(isPaused, of: automation, in: transaction)
            return .made(
                Reply(status: 200, body: changed.answer),
                entry(
                    action,
                    changed,
                    before: try .json(["paused": .bool(automation.isPaused)]),
                    after: try .json(["paused": .bool(isPaused)]),
                    context: context
                )
            )
        }
    }
}
