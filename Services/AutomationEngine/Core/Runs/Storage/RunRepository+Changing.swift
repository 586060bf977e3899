import Domain
import FoundationEssentials
import Messaging
import Persistence

/// A run that has gone a step forward, to be stored.
struct RunUpdate: Sendable {
    /// Under which a run is held: another fence is another driver.
    struct Hold: Hashable, Sendable {
        var run: UUID
        var fence: Int64
    }

    var record: RunRecord
    var change: RunChange

    var hold: Hold { Hold(run: record.id, fence: record.fence) }

    /// The steps that have begun to wait, and for how long.
    var waits: [(position: Int, wait: Duration)] {
        change.steps.sorted().compactMap { position in
            record.steps[position].remaining.map { (position, $0) }
        }
    }

    fileprivate var hasWaits: Bool { change.steps.contains { record.steps[$0].remaining != nil } }

    /// Whether the run ends with it, and may have had a place among those that may be under way at once.
    var givesPlaceBack: Bool { record.status.isFinal && record.mayHavePlace }

    /// Whether the run ends with it, and a step of another one waits for that.
    var answersCaller: Bool { record.status.isFinal && record.caller != nil }
}

extension RunRepository {
    /// The first round trip of a batch of updates: locks the runs that their drivers still hold, in the order of their
    /// keys, and answers which those are.
    static func locking(_ updates: [RunUpdate], owner: UUID) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT r.run_id, r.fence FROM unnest($1::uuid[], $2::bigint[]) AS held (run_id, fence)
            JOIN engine.automation_runs r ON r.run_id = held.run_id AND r.fence = held.fence
            WHERE r.owner = $3 AND r.finished_at IS NULL
            ORDER BY r.run_id FOR UPDATE OF r
            """,
            [.uuidArray(updates.map(\.record.id)), .int8Array(updates.map(\.record.fence)), .uuid(owner)]
        )
    }

    /// Holds what steps of updates wait for, and what the callers of those that end wait for, before any of it is written.
    ///
    /// What comes for a step then either finds the timer of its run, which is set later in the transaction, or is seen when it
    /// is set. All rows are locked at once in the order of their keys, timers first, so that two batches do not wait for each
    /// other.
    ///
    /// - Returns: No statement where nothing waits for more than a time.
    static func holding(_ updates: [RunUpdate]) -> [PostgresStatement] {
        let own = updates.filter { $0.change.timer != nil && $0.record.steps.contains(where: \.awaits) }
        let callers = updates.filter(\.answersCaller).compactMap(\.record.caller?.run)
        let runs = own.map(\.record.id) + callers
        return runs.isEmpty
            ? []
            : [
                PostgresStatement(
                    "SELECT FROM engine.timers WHERE run_id = ANY ($1) ORDER BY run_id FOR UPDATE",
                    [.uuidArray(runs)]
                ),
                PostgresStatement(
                    "SELECT FROM engine.step_waits WHERE run_id = ANY ($1) ORDER BY run_id, position FOR UPDATE",
                    [.uuidArray(runs)]
                ),
            ]
    }

    /// What a batch of updates writes; their runs are locked.
    static func changing(_ updates: [RunUpdate], owner: UUID) -> [PostgresStatement] {
        [changingRuns(updates), changingSteps(updates)] + recording(updates, owner: owner)
    }

    /// What a person's change of a run writes, whoever drives it: its fence moves on, and no timer is left.
    static func overruling(_ update: RunUpdate) -> [PostgresStatement] {
        let run = update.record
        let statements = [
            PostgresStatement(
                "UPDATE engine.automation_runs SET fence = $2, owner = NULL WHERE run_id = $1",
                [.uuid(run.id), .int8(run.fence)]
            ),
            PostgresStatement("DELETE FROM engine.timers WHERE run_id = $1", [.uuid(run.id)]),
            PostgresStatement("DELETE FROM engine.step_waits WHERE run_id = $1", [.uuid(run.id)]),
        ]
        return [changingRuns([update]), changingSteps([update])]
            + (update.change.ended.isEmpty ? [] : [endingAttempts([update])]) + statements
    }

    /// Items, attempts, timers and emissions: of runs that begin, and of those that go on.
    static func recording(_ updates: [RunUpdate], owner: UUID) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        if updates.contains(where: { !$0.change.added.isEmpty }) { statements.append(addingItems(updates)) }
        if updates.contains(where: { !$0.change.ended.isEmpty }) { statements.append(endingAttempts(updates)) }
        if updates.contains(where: { !$0.change.started.isEmpty }) {
            statements.append(startingAttempts(updates, owner: owner))
        }
        statements += waiting(updates)
        // A step's own time comes first, so that it has come when the timer of its run is due.
        if updates.contains(where: \.hasWaits) { statements.append(settingTimes(updates)) }
        if updates.contains(where: { $0.change.timer != nil }) { statements.append(settingTimers(updates)) }
        let emissions = updates.flatMap(\.change.emissions)
        if !emissions.isEmpty { statements.append(storing(emissions)) }
        return statements
    }

    private static func changingRuns(_ updates: [RunUpdate]) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE engine.automation_runs r
            SET status = c.status, error = c.error, finished_at = c.finished_at,
                owner = CASE WHEN c.status = 'running' THEN r.owner END
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS c (run_id, status, error, finished_at)
            WHERE r.run_id = c.run_id
            """,
            [
                .uuidArray(updates.map(\.record.id)),
                .textArray(updates.map(\.record.status.rawValue)),
                .textBytesArray(updates.map(\.record.error)),
                .timestampArray(microseconds: updates.map(\.record.finishedAt)),
            ]
        )
    }

    private static func changingSteps(_ updates: [RunUpdate]) -> PostgresStatement {
        let steps = updates.flatMap { update in
            update.change.steps.subtracting(update.change.added).sorted().map {
                (runID: update.record.id, position: Int32($0), step: update.record.steps[$0])
            }
        }
        return PostgresStatement(
            """
            UPDATE engine.automation_run_steps s
            SET status = c.status, attempt = c.attempt, input = c.input, output = c.output, error = c.error,
                started_at = c.started_at, finished_at = c.finished_at, attempts_before = c.attempts_before
            FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[],
                        $8::timestamptz[], $9::timestamptz[], $10::integer[])
                AS c (run_id, position, status, attempt, input, output, error, started_at, finished_at, attempts_before)
            WHERE s.run_id = c.run_id AND s.position = c.position
            """,
            [
                .uuidArray(steps.map(\.runID)),
                .int4Array(steps.map(\.position)),
                .textArray(steps.map(\.step.status.rawValue)),
                .int4Array(steps.map { Int32($0.step.attempt) }),
                .textBytesArray(steps.map(\.step.input)),
                .textBytesArray(steps.map(\.step.output)),
                .textBytesArray(steps.map(\.step.error)),
                .timestampArray(microseconds: steps.map(\.step.startedAt)),
                .timestampArray(microseconds: steps.map(\.step.finishedAt)),
                .int4Array(steps.map { Int32($0.step.attemptsBefore) }),
            ]
        )
    }

    private static func addingItems(_ updates: [RunUpdate]) -> PostgresStatement {
        let items = updates.flatMap { update in
            update.change.added.sorted().map {
                (runID: update.record.id, position: Int32($0), step: update.record.steps[$0])
            }
        }
        return PostgresStatement(
            """
            INSERT INTO engine.automation_run_steps (run_id, position, name, action_key, status, attempt, input, output,
                                                     error, started_at, finished_at, parent, item)
            SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::integer[],
                                 $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[],
                                 $12::integer[], $13::integer[])
            -- A step forward may be stored twice, where the answer to its commit was lost.
            ON CONFLICT (run_id, position) DO UPDATE
            SET status = excluded.status, attempt = excluded.attempt, input = excluded.input, output = excluded.output,
                error = excluded.error, started_at = excluded.started_at, finished_at = excluded.finished_at
            """,
            [
                .uuidArray(items.map(\.runID)),
                .int4Array(items.map(\.position)),
                .textArray(items.map(\.step.name)),
                .textArray(items.map(\.step.actionKey)),
                .textArray(items.map(\.step.status.rawValue)),
                .int4Array(items.map { Int32($0.step.attempt) }),
                .textBytesArray(items.map(\.step.input)),
                .textBytesArray(items.map(\.step.output)),
                .textBytesArray(items.map(\.step.error)),
                .timestampArray(microseconds: items.map(\.step.startedAt)),
                .timestampArray(microseconds: items.map(\.step.finishedAt)),
                .int4Array(items.map { Int32($0.step.parent ?? 0) }),
                .int4Array(items.map { Int32($0.step.item ?? 0) }),
            ]
        )
    }

    /// When each waiting step goes on; the timer of its run is due with the first of them.
    private static func settingTimes(_ updates: [RunUpdate]) -> PostgresStatement {
        let waits = updates.flatMap { update in
            update.waits.map { (runID: update.record.id, position: Int32($0.position), wait: $0.wait) }
        }
        return PostgresStatement(
            """
            UPDATE engine.automation_run_steps s SET due_at = clock_timestamp() + w.wait * interval '1 microsecond'
            FROM unnest($1::uuid[], $2::integer[], $3::bigint[]) AS w (run_id, position, wait)
            WHERE s.run_id = w.run_id AND s.position = w.position
            """,
            [
                .uuidArray(waits.map(\.runID)), .int4Array(waits.map(\.position)),
                .int8Array(waits.map { Int64($0.wait / .microseconds(1)) }),
            ]
        )
    }

    private static func startingAttempts(_ updates: [RunUpdate], owner: UUID) -> PostgresStatement {
        let attempts = updates.flatMap { update in update.change.started.map { (update.record, $0) } }
        return PostgresStatement(
            """
            INSERT INTO engine.step_attempts (run_id, position, number, instance, fence, started_at)
            SELECT a.run_id, a.position, a.number, $1, a.fence, a.started_at
            FROM unnest($2::uuid[], $3::integer[], $4::integer[], $5::bigint[], $6::timestamptz[])
                AS a (run_id, position, number, fence, started_at)
            ON CONFLICT DO NOTHING
            """,
            [
                .uuid(owner),
                .uuidArray(attempts.map(\.0.id)),
                .int4Array(attempts.map { Int32($0.1.position) }),
                .int4Array(attempts.map { Int32($0.1.number) }),
                .int8Array(attempts.map(\.0.fence)),
                .timestampArray(microseconds: attempts.map(\.1.startedAt)),
            ]
        )
    }

    private static func endingAttempts(_ updates: [RunUpdate]) -> PostgresStatement {
        let attempts = updates.flatMap { update in update.change.ended.map { (update.record.id, $0) } }
        return PostgresStatement(
            """
            UPDATE engine.step_attempts a
            SET outcome = c.outcome, error = c.error, finished_at = c.finished_at
            FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[])
                AS c (run_id, position, number, outcome, error, finished_at)
            WHERE a.run_id = c.run_id AND a.position = c.position AND a.number = c.number
            """,
            [
                .uuidArray(attempts.map(\.0)),
                .int4Array(attempts.map { Int32($0.1.position) }),
                .int4Array(attempts.map { Int32($0.1.number) }),
                .textArray(attempts.map(\.1.outcome.name)),
                .textBytesArray(attempts.map(\.1.outcome.error?.bytes)),
                .timestampArray(microseconds: attempts.map(\.1.finishedAt)),
            ]
        )
    }

    private static func settingTimers(_ updates: [RunUpdate]) -> PostgresStatement {
        let timers = updates.compactMap { update in update.change.timer.map { (update.record, $0) } }
        return PostgresStatement(
            """
            INSERT INTO engine.timers (run_id, due_at, tenant)
            -- The clock of the database alone says when a timer is due; that of a process may jump.
            SELECT t.run_id, clock_timestamp() + CASE
                -- What a step waits for may have come while the run was driven.
                WHEN EXISTS (SELECT FROM engine.step_waits w WHERE w.run_id = t.run_id AND w.outcome IS NOT NULL)
                THEN interval '0' ELSE t.wait * interval '1 microsecond' END, t.tenant
            FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS t (run_id, wait, tenant)
            ON CONFLICT (run_id) DO UPDATE SET due_at = excluded.due_at
            """,
            [
                .uuidArray(timers.map(\.0.id)),
                .int8Array(timers.map { Int64($0.1 / .microseconds(1)) }),
                .textArray(timers.map(\.0.tenant)),
            ]
        )
    }

    private static func storing(_ emissions: [Emission]) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO engine.signal_emissions (signal_id, tenant, type, run_id, position, event)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::integer[], $6::text[])
            ON CONFLICT DO NOTHING
            """,
            [
                .uuidArray(emissions.map(\.signalID)),
                .textArray(emissions.map(\.tenant)),
                .textArray(emissions.map(\.type)),
                .uuidArray(emissions.map(\.runID)),
                .int4Array(emissions.map { Int32($0.position) }),
                .textBytesArray(emissions.map(\.event)),
            ]
        )
    }
}
