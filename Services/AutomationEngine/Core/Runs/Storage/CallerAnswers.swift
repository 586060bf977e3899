import Contracts
import Domain
import FoundationEssentials
import Messaging
import Persistence

/// Answers to steps that wait for the ends of runs, brought in the transaction that knows them.
struct CallerAnswers: Sendable {
    private var answers: [(caller: RunCaller, answer: [UInt8])] = []

    /// What runs that end in updates tell those who wait for them.
    init(_ updates: [RunUpdate] = []) {
        for update in updates where update.record.status.isFinal {
            if let caller = update.record.caller {
                answers.append((caller, RunCaller.answer(of: update.record)))
            }
        }
    }

    /// Tells those whose signals have started no run.
    ///
    /// - Parameters:
    ///   - signals: Those that no batch has processed before.
    ///   - runs: The runs that they have started.
    ///   - refusals: Why others have not been started.
    mutating func refuse(_ signals: [IncomingSignal], without runs: [RunUpdate], _ refusals: [AdmissionRefusal]) {
        let aimed = signals.filter { $0.aim != nil }
        guard !aimed.isEmpty else {
            return
        }
        let started = Set(runs.map(\.record.signalID))
        for signal in aimed where !started.contains(signal.id) {
            guard let caller = signal.caller, case .key(let automation) = signal.aim?.target else {
                continue
            }
            let refusal = refusals.first { $0.signalID == signal.id }
            answers.append((caller, RunCaller.answer(refusedBy: refusal, of: automation)))
        }
    }

    var isEmpty: Bool { answers.isEmpty }

    static func + (one: CallerAnswers, other: CallerAnswers) -> CallerAnswers {
        var all = one
        all.answers += other.answers
        return all
    }

    /// Brings them to the steps, and makes their runs go on.
    ///
    /// A step that does not wait any more is told nothing. Timers are locked before what steps wait for, as by whoever
    /// changes such a run, and each in the order of their keys.
    var statements: [PostgresStatement] {
        guard !answers.isEmpty else {
            return []
        }
        let keys: [PostgresValue] = [
            .uuidArray(answers.map(\.caller.run)), .int4Array(answers.map { Int32(clamping: $0.caller.position) }),
            .textArray(answers.map(\.caller.signal.lowercased)),
        ]
        return [
            PostgresStatement(
                "SELECT FROM engine.timers WHERE run_id = ANY ($1) ORDER BY run_id FOR UPDATE",
                [keys[0]]
            ),
            PostgresStatement(
                """
                WITH waiting AS MATERIALIZED (
                    SELECT w.run_id, w.position, a.answer
                    FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[])
                        AS a (run_id, position, correlation, answer)
                    JOIN engine.step_waits w USING (run_id, position, correlation)
                    WHERE w.kind = 'run' AND w.outcome IS NULL
                    ORDER BY w.run_id, w.position FOR UPDATE OF w
                )
                UPDATE engine.step_waits w SET outcome = a.answer
                FROM waiting a WHERE w.run_id = a.run_id AND w.position = a.position
                """,
                keys + [.textBytesArray(answers.map(\.answer))]
            ),
            // A run that is driven has no timer; it sees the answer when it lets go of its last attempt.
            PostgresStatement(
                """
                UPDATE engine.timers t SET due_at = least(t.due_at, clock_timestamp()) FROM (
                    SELECT t.run_id FROM engine.timers t WHERE t.run_id = ANY ($1) AND EXISTS (
                        SELECT FROM engine.step_waits w
                        WHERE w.run_id = t.run_id AND w.kind = 'run' AND w.outcome IS NOT NULL)
                    ORDER BY t.run_id FOR UPDATE
                ) woken WHERE t.run_id = woken.run_id
                """,
                [keys[0]]
            ),
        ]
    }
}
