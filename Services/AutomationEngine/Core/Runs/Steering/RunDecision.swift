import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import ServiceBase

/// What a person decides about an attempt whose outcome is unknown.
enum RunDecision: String, CaseIterable, Sendable {
    /// The effect took place: the step has succeeded.
    case happened
    /// The effect did not take place: the step is tried again.
    case didNotHappen = "did_not_happen"
}

/// Decides about runs that are parked.
struct RunDecisions: Sendable {
    let lanes: LaneGroup
    let driver: RunDriver

    /// Carries out a decision: `run_id`, `step`, `decision`, the `output` of an effect that took place, and whether that is
    /// `personal`.
    func resolve(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let root = body.root
        guard let id = root["run_id"]?.stringValue.flatMap(UUID.init(uuidString:)), let step = root["step"]?.stringValue
        else {
            throw Problem(.notFound, "There is no such step.")
        }
        guard let decision = root["decision"]?.stringValue.flatMap(RunDecision.init(rawValue:)) else {
            throw Problem(
                .invalidRequest,
                "The decision is \"happened\" or \"did_not_happen\".",
                errors: [
                    Problem.Detail(pointer: "/decision", code: "invalid_value", detail: "There is no such decision.")
                ]
            )
        }
        let output = try output(root["output"], decision)
        let isPersonal = root["personal"]?.boolValue == true
        let reply = try await lanes.change(deadline: context.deadline) { transaction in
            let before = try await requireUnknown(id, step, context, in: transaction)
            transaction.enqueue(Self.statements(id, step, decision, output))
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("run_id", id.lowercased)
            writer.member("status", RunStatus.queued.rawValue)
            writer.member("step", step)
            writer.endObject()
            return .made(
                Reply(status: 200, body: writer.bytes),
                try entry(id, step, before, decision, (output, isPersonal), context)
            )
        }
        driver.wake()
        return reply
    }

    private func output(_ output: JSONView?, _ decision: RunDecision) throws -> [UInt8]? {
        guard let output else {
            return decision == .happened ? Array("null".utf8) : nil
        }
        guard decision == .happened else {
            throw Problem(.invalidRequest, "Only an effect that happened has an output.")
        }
        return Array(output.rawBytes)
    }

    /// Locks a run of which a step is to be decided about; answers the run's status.
    private func requireUnknown(
        _ id: UUID,
        _ step: String,
        _ context: RequestContext,
        in transaction: ChangeTransaction
    ) async throws -> String {
        let results = try await transaction.database.pipeline([
            // The timer first, as whoever claims due timers locks them.
            PostgresStatement("SELECT FROM engine.timers WHERE run_id = $1 FOR UPDATE", [.uuid(id)]),
            PostgresStatement(
                "SELECT FROM engine.automation_runs WHERE run_id = $1 AND tenant = $2 FOR UPDATE",
                [.uuid(id), .text(context.tenant)]
            ),
            // In a statement of its own, which sees what whoever had the lock before has made of the step.
            PostgresStatement(
                """
                SELECT s.status, r.owner IS NOT NULL, r.status FROM engine.automation_runs r
                JOIN engine.automation_run_steps s ON s.run_id = r.run_id AND s.name = $3
                WHERE r.run_id = $1 AND r.tenant = $2
                """,
                [.uuid(id), .text(context.tenant), .text(step)]
            ),
        ])
        guard let row = results[2].first else {
            throw Problem(.notFound, "There is no such step.")
        }
        let status = try row.decode(0, as: String.self)
        guard status == StepStatus.unknown.rawValue else {
            throw Problem(
                .wrongState,
                "Only a step whose outcome is unknown can be decided about; this one is \(status)."
            )
        }
        guard try !row.decode(1, as: Bool.self) else {
            throw Problem(
                .wrongState,
                "Other steps of the run are being executed; decide about this one when they have ended."
            )
        }
        return try row.decode(2)
    }

    /// The run waits for a driver; the fence moves on, so that nothing from before can be written any more.
    private static func statements(
        _ id: UUID,
        _ step: String,
        _ decision: RunDecision,
        _ output: [UInt8]?
    ) -> [ChangeStatement] {
        let change =
            switch decision {
            case .happened: "status = 'succeeded', output = $3, error = NULL, finished_at = now()"
            case .didNotHappen: "status = 'queued', output = $3, error = NULL"
            }
        return [
            ChangeStatement(
                "UPDATE engine.automation_run_steps SET \(change) WHERE run_id = $1 AND name = $2",
                [.uuid(id), .text(step), .textBytes(output)]
            ),
            ChangeStatement("DELETE FROM engine.timers WHERE run_id = $1", [.uuid(id)]),
            // The person's word counts, and an answer that has just come does not.
            ChangeStatement(
                """
                DELETE FROM engine.step_waits w USING engine.automation_run_steps s
                WHERE w.run_id = $1 AND s.run_id = $1 AND s.position = w.position AND s.name = $2
                """,
                [.uuid(id), .text(step)]
            ),
            ChangeStatement(
                "UPDATE engine.automation_runs SET status = 'queued', fence = fence + 1 WHERE run_id = $1",
                [.uuid(id)]
            ),
        ]
    }

    private func entry(
        _ id: UUID,
        _ step: String,
        _ before: String,
        _ decision: RunDecision,
        _ output: (bytes: [UInt8]?, isPersonal: Bool),
        _ context: RequestContext
    ) throws -> AuditDraft {
        var after = [
            JSONMember("decision", .string(decision.rawValue)),
            JSONMember("status", .string(RunStatus.queued.rawValue)), JSONMember("step", .string(step)),
        ]
        if let bytes = output.bytes {
            after.append(JSONMember("output", try JSONValue(parsing: bytes, limits: .wrapped)))
        }
        return AuditDraft(
            "run.resolve",
            of: AuditObject(type: "run", id: id.lowercased),
            before: try .json(["status": .string(before), "step": .string(step)]),
            after: try .json(
                .object(after),
                personal: output.isPersonal ? [JSONPointer(tokens: ["output"])] : []
            ),
            by: context
        )
    }
}
