import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import Messaging
import Metrics
import Persistence
import ServiceBase

/// What the engine does with deliveries of `engine.actions`: brings the answers of services to the steps that wait.
struct ActionAnswerIntake: Sendable {
    static let counterName = "batuta_engine_action_answers_total"

    let lanes: LaneGroup
    let driver: RunDriver
    let deadLetters: DeadLetterRepository
    /// Microseconds of Unix time.
    let now: @Sendable () -> Int64
    let logger: Logger
    private let taken = Counter(label: counterName, dimensions: [("outcome", "taken")])
    private let unawaited = Counter(label: counterName, dimensions: [("outcome", "unawaited")])

    /// - Parameters:
    ///   - lanes: Runs the transactions.
    ///   - driver: Woken when runs go on.
    ///   - deadLetters: Where unreadable answers are put away.
    ///   - now: Microseconds of Unix time.
    ///   - logger: Told of answers that nobody waits for.
    init(
        lanes: LaneGroup,
        driver: RunDriver,
        deadLetters: DeadLetterRepository,
        now: @escaping @Sendable () -> Int64,
        logger: Logger
    ) {
        self.lanes = lanes
        self.driver = driver
        self.deadLetters = deadLetters
        self.now = now
        self.logger = logger
    }

    /// Processes deliveries in one transaction; an answer that nobody waits for is none.
    func process(_ deliveries: [Delivery]) async throws {
        let answers = try deliveries.map { try ActionAnswer($0) }
        let settled = try await LaneTransaction.retrying {
            try await lanes.transaction { transaction in
                let rows = try await transaction.database.pipeline(Self.taking(answers))
                let settled = try rows[2].map(Settled.init)
                for settled in settled where settled.wasParked { transaction.audit(try entry(settled)) }
                return settled
            }
        }
        guard !settled.isEmpty || !answers.isEmpty else {
            return
        }
        taken.increment(by: settled.count)
        unawaited.increment(by: answers.count - settled.count)
        var left = Set(settled.map(\.attempt))
        for answer in answers where left.remove(answer.attempt) == nil {
            logger.notice(
                "nobody waits for an answer of an action",
                metadata: [
                    "tenant": "\(answer.route.tenant)", "action": "\(answer.route.action)",
                    "correlation_id": "\(answer.attempt.text)",
                ]
            )
        }
        if !settled.isEmpty { driver.wake() }
    }

    /// Puts away an answer that cannot be read; the tenant is that of the routing key, whatever a header says.
    func bury(_ delivery: Delivery, reason: String) async throws {
        var letter = DeadLetter(delivery, reason: reason)
        letter.tenant = ActionRoute(resultKey: delivery.routingKey)?.tenant.key
        try await deadLetters.insert(letter, deadline: .now + .seconds(15))
    }

    /// An answer that a step takes.
    private struct Settled {
        var attempt: AttemptName
        var tenant: String
        var step: String
        var traceparent: String?
        /// Whether its run had been given to a person to decide about.
        var wasParked: Bool

        init(_ row: PostgresRow) throws {
            attempt = AttemptName(run: try row.decode(0), position: try row.decode(1), attempt: try row.decode(2))
            tenant = try row.decode(3)
            step = try row.decode(4)
            traceparent = try row.decode(5)
            wasParked = try row.decode(6)
        }
    }

    /// The service itself decides what was given to a person to decide.
    private func entry(_ settled: Settled) throws -> AuditDraft {
        AuditDraft(
            "run.resolve",
            ofRun: settled.attempt.run,
            tenant: settled.tenant,
            before: try .json(["status": .string(RunStatus.unknown.rawValue), "step": .string(settled.step)]),
            after: try .json([
                "decision": "answered", "status": .string(RunStatus.queued.rawValue), "step": .string(settled.step),
            ]),
            traceparent: settled.traceparent,
            at: now()
        )
    }
}

// MARK: - SQL

extension ActionAnswerIntake {
    /// Locks the timers and runs of a batch's answers, in the order of whoever claims due timers, and stores the answers.
    ///
    /// The locks come first: what the steps are is read in a later statement, whose snapshot is taken under them.
    private static func taking(_ answers: [ActionAnswer]) -> [PostgresStatement] {
        let runs: [PostgresValue] = [
            .uuidArray(answers.map(\.attempt.run)), .textArray(answers.map(\.route.tenant.key)),
        ]
        return [
            PostgresStatement(
                """
                SELECT FROM engine.timers t
                WHERE (t.run_id, t.tenant) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
                ORDER BY t.run_id FOR UPDATE
                """,
                runs
            ),
            PostgresStatement(
                """
                SELECT FROM engine.automation_runs r
                WHERE r.run_id = ANY ($1) AND (r.run_id, r.tenant) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
                  AND r.finished_at IS NULL
                ORDER BY r.run_id FOR UPDATE
                """,
                runs
            ),
            PostgresStatement(
                storing,
                runs + [
                    .textArray(answers.map(\.route.action)), .int4Array(answers.map(\.attempt.position)),
                    .int4Array(answers.map(\.attempt.attempt)), .textBytesArray(answers.map(\.outcome)),
                ]
            ),
        ]
    }

    /// Answers count for the attempt that they are of, while that has not ended or its outcome is not known; the first one
    /// counts.
    private static let storing = """
        WITH answers AS (
            SELECT DISTINCT ON (a.run_id, a.position) a.*, s.name, s.status, r.traceparent
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::integer[], $6::text[]) WITH ORDINALITY
                AS a (run_id, tenant, action_key, position, attempt, outcome, place)
            -- The routing key says whose action has answered. It has no say in runs of others.
            JOIN engine.automation_runs r ON r.run_id = a.run_id AND r.tenant = a.tenant AND r.finished_at IS NULL
            JOIN engine.automation_run_steps s
                ON s.run_id = a.run_id AND s.position = a.position AND s.action_key = a.action_key
               AND s.attempt = a.attempt
            JOIN engine.step_attempts t
                ON t.run_id = a.run_id AND t.position = a.position AND t.number = a.attempt
            WHERE t.finished_at IS NULL AND s.status IN ('running', 'waiting') OR s.status = 'unknown'
            ORDER BY a.run_id, a.position, a.place
        ), taken AS (
            INSERT INTO engine.step_waits AS w (run_id, position, tenant, kind, request, attempt, outcome, opened_at)
            SELECT run_id, position, tenant, 'action', '{}', attempt, outcome, clock_timestamp() FROM answers
            -- The engine may not have stored yet that it waits, or that it does not any more.
            ON CONFLICT (run_id, position) DO UPDATE SET attempt = excluded.attempt, outcome = excluded.outcome
            WHERE w.kind = 'action' AND (w.outcome IS NULL OR w.attempt <> excluded.attempt)
            RETURNING run_id, position
        ), woken AS (
            UPDATE engine.timers t SET due_at = clock_timestamp() FROM taken WHERE t.run_id = taken.run_id
        ), queued AS (
            UPDATE engine.automation_runs r SET status = 'queued', fence = r.fence + 1
            FROM taken WHERE r.run_id = taken.run_id AND r.status = 'unknown'
            RETURNING r.run_id
        )
        SELECT a.run_id, a.position, a.attempt, a.tenant, a.name, a.traceparent, q.run_id IS NOT NULL
        FROM taken JOIN answers a USING (run_id, position) LEFT JOIN queued q USING (run_id)
        ORDER BY a.run_id, a.position
        """
}
