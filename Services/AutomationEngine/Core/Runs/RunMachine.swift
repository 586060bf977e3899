import Domain
import FoundationEssentials
import JSON
import Templates

/// A run under way: decides what happens next, and remembers what of that is not stored yet.
///
/// Pure: time and chance come in as arguments. Whoever drives it stores `takeChange()` before it acts on what a call has
/// answered, so that an attempt is in the database before its effect.
///
/// ```
/// queued ──▶ running ──▶ succeeded | failed
///              │  ▲
///              ▼  │ a timer, a decision
///           waiting, unknown
/// ```
struct RunMachine: Sendable {
    /// What is to be done next, once the change is stored.
    enum Next: Equatable, Sendable {
        /// The effect of the attempt of the step at this position.
        case attempt(Int)
        /// Nothing: a timer resumes the run after this time.
        case wait(Duration)
        /// Nothing: whoever has room for the next attempt claims the run.
        case queue
        /// Nothing: a person decides about an attempt whose outcome is unknown.
        case park
        /// Nothing: the run has ended.
        case end
    }

    let automation: CompiledAutomation
    let signal: IncomingSignal
    private(set) var record: RunRecord
    private var change = RunChange()

    /// A run that begins.
    init(_ automation: CompiledAutomation, signal: IncomingSignal, runID: UUID, at now: Int64) {
        self.automation = automation
        self.signal = signal
        record = RunRecord(automation, signal: signal, runID: runID, at: now)
    }

    /// A run as it is stored, claimed by whoever drives it.
    init(_ automation: CompiledAutomation, signal: IncomingSignal, stored record: RunRecord) {
        self.automation = automation
        self.signal = signal
        self.record = record
    }

    /// What has happened since the last time, to be stored.
    mutating func takeChange() -> RunChange {
        defer { change = RunChange() }
        return change
    }

    // MARK: Events

    /// The run was created, or claimed: out of the queue, for a timer, or because its owner is gone.
    ///
    /// - Parameters:
    ///   - now: Microseconds of Unix time.
    ///   - chance: From 0 to 1; decides the jitter of a delay.
    ///   - mayAttempt: Whether whoever drives the run has room for an attempt.
    /// - Returns: What is to be done.
    mutating func resumed(at now: Int64, chance: Double = 0, mayAttempt: Bool = true) -> Next {
        guard let position = record.steps.firstIndex(where: { $0.status == .running }) else {
            return proceed(at: now, mayAttempt: mayAttempt)
        }
        let error = StepError(
            code: "attempt_lost",
            detail: "The engine that made the attempt ended before it could record the outcome."
        )
        return attemptEnded(position, .unknown(error), at: now, chance: chance)
    }

    /// The attempt that was asked for has ended.
    ///
    /// - Parameters:
    ///   - position: The step's position.
    ///   - outcome: What is known of it.
    ///   - now: Microseconds of Unix time.
    ///   - chance: From 0 to 1; decides the jitter of a delay.
    ///   - mayAttempt: Whether whoever drives the run goes on with the next attempt.
    /// - Returns: What is to be done.
    mutating func attemptEnded(
        _ position: Int,
        _ outcome: AttemptOutcome,
        at now: Int64,
        chance: Double,
        mayAttempt: Bool = true
    ) -> Next {
        change.ended.append(
            RunChange.AttemptEnd(
                position: position,
                number: record.steps[position].attempt,
                outcome: outcome,
                finishedAt: now
            )
        )
        switch outcome {
        case .succeeded(let output):
            return succeed(position, output: output, at: now) ?? proceed(at: now, mayAttempt: mayAttempt)
        case .failed(let failure):
            return retry(position, failure, chance: chance) ?? fail(position, failure.error, at: now)
                ?? proceed(at: now, mayAttempt: mayAttempt)
        case .unknown(let error) where automation.steps[position].isIdempotent:
            let failure = AttemptOutcome.Failure(error: error, isRetryable: true)
            return retry(position, failure, chance: chance) ?? fail(position, error, at: now)
                ?? proceed(at: now, mayAttempt: mayAttempt)
        case .notMade:
            update(position) { $0.status = .queued }
            record.status = .queued
            return .queue
        case .unknown(let error):
            update(position) { step in
                step.status = .unknown
                step.error = error.bytes
            }
            record.status = .unknown
            return .park
        }
    }

    // MARK: Steps

    /// Goes through the steps that are left until one has an effect.
    private mutating func proceed(at now: Int64, mayAttempt: Bool = true) -> Next {
        while let position = record.steps.firstIndex(where: { !$0.status.isFinal }) {
            if let next = begin(position, at: now, mayAttempt: mayAttempt) {
                return next
            }
        }
        record.status = .succeeded
        record.finishedAt = now
        return .end
    }

    /// Begins a step, or another attempt of it; nil where it has ended and the run goes on.
    private mutating func begin(_ position: Int, at now: Int64, mayAttempt: Bool) -> Next? {
        let step = automation.steps[position]
        let context = RunContext(self)
        if step.action == .delay, record.steps[position].status == .waiting {
            return succeed(position, output: record.steps[position].output ?? Array("null".utf8), at: now)
        }
        do throws(StepError) {
            if record.steps[position].attempt == 0, let when = step.when, try !context.matches(when) {
                update(position) { stored in
                    stored.status = .skipped
                    stored.finishedAt = now
                }
                return nil
            }
        } catch {
            return fail(position, error, at: now)
        }
        guard !step.action.hasEffect || mayAttempt || record.isDryRun else {
            record.status = .queued
            return .queue
        }
        let input: [UInt8]
        do throws(StepError) {
            input = try context.input(of: step)
        } catch {
            update(position) { $0.startedAt = $0.startedAt ?? now }
            guard record.isDryRun, error.code == TemplateError.Code.missingValue.rawValue, readsSample(step) else {
                return fail(position, error, at: now)
            }
            // What it reads is only there once the step before has really been made.
            update(position) { stored in
                stored.status = .notSimulated
                stored.error = error.bytes
                stored.finishedAt = now
            }
            return nil
        }
        update(position) { stored in
            stored.status = .running
            stored.attempt += 1
            stored.startedAt = stored.startedAt ?? now
            stored.error = nil
            stored.setInput(input, hash: step.constantInputHash)
        }
        if record.isDryRun {
            return simulate(position, at: now)
        }
        switch step.action {
        case .transform:
            return succeed(position, output: input, at: now)
        case .emit:
            return emit(position, input, at: now)
        case .delay:
            return delay(position, input, at: now)
        case .http, .webhook:
            record.status = .running
            change.started.append(
                RunChange.AttemptStart(position: position, number: record.steps[position].attempt, startedAt: now)
            )
            return .attempt(position)
        }
    }

    /// Whether a step reads the output of one that was only simulated.
    private func readsSample(_ step: CompiledAutomation.Step) -> Bool {
        let read = Set(step.input.references.compactMap(\.step))
        return zip(automation.steps, record.steps).contains { earlier, stored in
            read.contains(earlier.name)
                && (stored.status == .notSimulated || stored.simulation != nil && earlier.action.hasEffect)
        }
    }

    /// In a dry run a step says what it would do, and the run goes on with what its output could be.
    private mutating func simulate(_ position: Int, at now: Int64) -> Next? {
        let step = automation.steps[position]
        do throws(StepError) {
            let input = try RunContext(self).simulatedInput(of: step)
            let simulation = try Simulation(
                step.action,
                input,
                recorded: record.steps[position].input ?? input,
                run: record,
                position: position,
                signal: signal
            )
            update(position) { $0.simulation = simulation.bytes }
            return succeed(position, output: simulation.output, at: now)
        } catch {
            return fail(position, error, at: now)
        }
    }

    /// A signal of the run's own is stored and sent with the run itself, so it is no effect outside.
    private mutating func emit(_ position: Int, _ input: [UInt8], at now: Int64) -> Next? {
        do throws(StepError) {
            let emission = try Emission(input, run: record, position: position, causation: signal)
            change.emissions.append(emission)
            return succeed(position, output: emission.output, at: now)
        } catch {
            return fail(position, error, at: now)
        }
    }

    /// The run waits for a timer; nil where there is nothing to wait for.
    private mutating func delay(_ position: Int, _ input: [UInt8], at now: Int64) -> Next? {
        do throws(StepError) {
            let delay = try Delay(input, at: now)
            guard delay.until > now else {
                return succeed(position, output: delay.output, at: now)
            }
            update(position) { step in
                step.status = .waiting
                step.setOutput(delay.output)
            }
            let wait = Duration.microseconds(delay.until - now)
            record.status = .waiting
            change.timer = wait
            return .wait(wait)
        } catch {
            return fail(position, error, at: now)
        }
    }

    // MARK: Ends of steps

    private mutating func succeed(_ position: Int, output: [UInt8], at now: Int64) -> Next? {
        guard output.count <= RunRecord.maximumOutput else {
            let error = StepError(code: "output_too_large", detail: "The output is longer than 256 KiB.")
            return fail(position, error, at: now)
        }
        update(position) { step in
            step.status = .succeeded
            step.finishedAt = now
            step.error = nil
            step.setOutput(output)
        }
        return nil
    }

    /// Waits for another attempt; nil where none is left.
    private mutating func retry(
        _ position: Int,
        _ failure: AttemptOutcome.Failure,
        chance: Double
    ) -> Next? {
        let attempt = record.steps[position].attempt - record.steps[position].attemptsBefore
        let policy = automation.steps[position].retry
        guard failure.isRetryable, let delay = policy.delay(after: attempt, chance: chance) else {
            return nil
        }
        let asked = min(failure.retryAfter ?? .zero, max(policy.maximumDelay, delay))
        let wait = max(delay, asked)
        update(position) { step in
            step.status = .waiting
            step.error = failure.error.bytes
        }
        record.status = .waiting
        change.timer = wait
        return .wait(wait)
    }

    /// A step has failed for good; nil where the run goes on all the same.
    private mutating func fail(_ position: Int, _ error: StepError, at now: Int64) -> Next? {
        update(position) { step in
            step.status = .failed
            step.finishedAt = now
            step.error = error.bytes
        }
        guard automation.steps[position].onError == .fail else {
            return nil
        }
        for later in record.steps.indices where !record.steps[later].status.isFinal {
            update(later) { step in
                step.status = .skipped
                step.finishedAt = now
            }
        }
        let name = record.steps[position].name
        record.error =
            StepError(
                code: "step_failed",
                detail: "Step \"\(name)\" failed: \(error.detail)",
                members: ["step": .string(name)]
            )
            .bytes
        record.status = .failed
        record.finishedAt = now
        return .end
    }

    private mutating func update(_ position: Int, _ body: (inout RunRecord.Step) -> Void) {
        body(&record.steps[position])
        change.steps.insert(position)
    }
}
