import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import ServiceBase

/// What waits for the decision of a person, and the decisions.
struct Approvals: Sendable {
    /// A decision about an approval.
    enum Decision: String, CaseIterable, Sendable {
        case approve
        case reject

        /// As the step's output has it.
        var outcome: String {
            switch self {
            case .approve: "approved"
            case .reject: "rejected"
            }
        }
    }

    let database: PostgresClient
    let lanes: LaneGroup
    let driver: RunDriver

    /// A page of what is not decided, oldest runs first.
    func list(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let page = try Page(body.root)
        let after = try page.cursor.map { try Self.cursor($0) }
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT w.run_id, w.position, s.name, r.automation_key, r.summary, w.request, w.opened_at, s.due_at
                FROM engine.step_waits w
                JOIN engine.automation_run_steps s ON s.run_id = w.run_id AND s.position = w.position
                JOIN engine.automation_runs r ON r.run_id = w.run_id
                WHERE w.tenant = $1 AND w.kind = 'approval' AND w.outcome IS NULL AND s.status = 'waiting'
                  AND ($2::uuid IS NULL OR (w.run_id, w.position) > ($2::uuid, $3::integer))
                ORDER BY w.run_id, w.position LIMIT $4
                """,
                [.text(context.tenant), .uuid(after?.run), .int(after?.position ?? 0), .int(page.limit + 1)],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        let items = try rows.map(ApprovalItem.init)
        return Reply(status: 200, body: page.answer(items, cursor: \.cursor) { $0.write(to: &$1) })
    }

    /// Carries out a decision: `run_id`, `step`, `decision`, the `role` of who decides, `form` and `comment`.
    func decide(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let root = body.root
        guard let id = root["run_id"]?.stringValue.flatMap(UUID.init(uuidString:)),
            let step = root["step"]?.stringValue,
            let decision = root["decision"]?.stringValue.flatMap(Decision.init(rawValue:)),
            let role = root["role"]?.stringValue.flatMap(Role.init(rawValue:))
        else {
            throw Problem.approvalNotFound
        }
        let reply = try await LaneTransaction.retrying {
            try await lanes.change(deadline: context.deadline) { transaction in
                let open = try await lock(id, step, context, in: transaction)
                try open.requireAuthority(of: context.actor.id, role)
                let form = decision == .approve ? try open.check(root["form"]) : nil
                let output = Self.output(
                    decision,
                    by: context,
                    form: form?.value,
                    comment: root["comment"]?.stringValue
                )
                transaction.enqueue([
                    ChangeStatement(
                        "UPDATE engine.step_waits SET outcome = $3 WHERE run_id = $1 AND position = $2",
                        [.uuid(id), .int(open.position), .textBytes(output)]
                    ),
                    // Whoever drives the run sees the outcome when it lets go of it; one that waits is claimed at once.
                    ChangeStatement(
                        "UPDATE engine.timers SET due_at = least(due_at, clock_timestamp()) WHERE run_id = $1",
                        [.uuid(id)]
                    ),
                ])
                let entry = AuditDraft(
                    "run.\(decision.rawValue)",
                    of: AuditObject(type: "run", id: id.lowercased),
                    before: try .json(["status": "waiting", "step": .string(step)]),
                    after: try .json(
                        ["decision": try JSONValue(parsing: output), "step": .string(step)],
                        personal: Self.personalPlaces(form)
                    ),
                    by: context
                )
                var writer = JSONWriter()
                writer.beginObject()
                writer.member("run_id", id.lowercased)
                writer.member("step", step)
                writer.member("decision", decision.outcome)
                writer.endObject()
                return .made(Reply(status: 200, body: writer.bytes), entry)
            }
        }
        driver.wake()
        return reply
    }

    /// Locks an approval that is open: its timer, its run, itself, in the order of whoever claims due timers.
    private func lock(
        _ id: UUID,
        _ step: String,
        _ context: RequestContext,
        in transaction: ChangeTransaction
    ) async throws -> OpenApproval {
        let results = try await transaction.database.pipeline([
            PostgresStatement("SELECT FROM engine.timers WHERE run_id = $1 FOR UPDATE", [.uuid(id)]),
            PostgresStatement(
                "SELECT run_id FROM engine.automation_runs WHERE run_id = $1 AND tenant = $2 FOR UPDATE",
                [.uuid(id), .text(context.tenant)]
            ),
            PostgresStatement(
                """
                SELECT s.position, s.status, coalesce(s.due_at <= clock_timestamp(), false), w.request,
                       w.outcome IS NOT NULL
                FROM engine.automation_run_steps s
                LEFT JOIN engine.step_waits w ON w.run_id = s.run_id AND w.position = s.position
                WHERE s.run_id = $1 AND s.name = $2 AND s.action_key = 'flow.approval'
                """,
                [.uuid(id), .text(step)]
            ),
        ])
        guard !results[1].isEmpty, let row = results[2].first else {
            throw Problem.approvalNotFound
        }
        let status = try row.decode(1, as: String.self)
        guard status == StepStatus.waiting.rawValue, let request = try row.decode(3, as: [UInt8]?.self) else {
            throw Problem(
                .wrongState,
                "Nobody is asked for this approval now; the step is \(status).",
                detailES: "Nadie tiene que decidir ahora sobre esta aprobación."
            )
        }
        guard try !row.decode(4, as: Bool.self) else {
            throw Problem(.wrongState, "It has been decided already.", detailES: "Ya se ha decidido.")
        }
        guard try !row.decode(2, as: Bool.self) else {
            throw Problem(.wrongState, "The time to decide is over.", detailES: "El plazo para decidir ha terminado.")
        }
        return OpenApproval(position: try row.decode(0), request: try JSONDocument(parsing: request).root)
    }

    private static func output(
        _ decision: Decision,
        by context: RequestContext,
        form: JSONView?,
        comment: String?
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("approved", decision == .approve)
        writer.member("by", context.actor.id)
        if let comment { writer.member("comment", comment) }
        writer.member("decision", decision.outcome)
        writer.member("form", raw: form.map { Array($0.rawBytes) })
        writer.endObject()
        return writer.bytes
    }

    /// What of a decision may be about somebody: what a person has written freely, and a form that says so.
    private static func personalPlaces(_ form: OpenApproval.FilledForm?) -> [JSONPointer] {
        let comment = JSONPointer(tokens: ["decision", "comment"])
        return form?.isPersonal == true ? [comment, JSONPointer(tokens: ["decision", "form"])] : [comment]
    }

    private static func cursor(_ text: String) throws -> (run: UUID, position: Int) {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let run = UUID(uuidString: String(parts[0])), let position = Int32(parts[1]) else {
            throw Problem(.invalidCursor, "The cursor is not one of this list.")
        }
        return (run, Int(position))
    }
}

extension Problem {
    /// There is no such approval, or the caller may not see it.
    fileprivate static var approvalNotFound: Problem {
        Problem(.notFound, "There is no such approval.", detailES: "No hay tal aprobación.")
    }
}
