import Domain
import FoundationEssentials
import JSON

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
///
/// Steps begin as soon as those that they need have ended, several at once where nothing orders them. Everything is worked
/// out from the record and the definition, so that a run goes on from its rows as it would have without a crash.
struct RunMachine: Sendable {
    /// What is to be done next, once the change is stored.
    enum Next: Equatable, Sendable {
        /// The effects of the attempts of the steps at these positions, besides those that are under way.
        case attempts([Int])
        /// Nothing: a timer resumes the run after this time.
        case wait(Duration)
        /// Nothing: whoever has room for the next attempt claims the run.
        case queue
        /// Nothing: a person decides about an attempt whose outcome is unknown.
        case park
        /// Nothing: the run has ended.
        case end
    }

    /// How many attempts of one run are under way at once at most.
    static let maximumAttempts = 16

    let automation: CompiledAutomation
    let signal: IncomingSignal
    var record: RunRecord
    var change = RunChange()
    /// The items of repeated steps by position, as they stand in their inputs.
    var itemViews: [Int: JSONView] = [:]

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
        self.record.mayHavePlace = automation.admission.concurrency != nil
    }

    /// What has happened since the last time, to be stored.
    mutating func takeChange() -> RunChange {
        defer { change = RunChange() }
        return change
    }

    /// The definition of the step at a position; an item has that of its step.
    func definition(at position: Int) -> CompiledAutomation.Step {
        automation.steps[record.steps[position].parent ?? position]
    }

    /// How often the branch of a step had its turn before, told by attempts: what it does now is not what it did then.
    func turn(at position: Int) -> Int {
        definition(at: position).branch == nil ? 0 : record.steps[position].attemptsBefore
    }

    /// What the effects of a step, or of one of its items, are known by outside; the same for every attempt.
    func effectName(at position: Int) -> String {
        let turn = turn(at: position)
        return turn == 0 ? record.steps[position].name : "\(record.steps[position].name)~\(turn)"
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
        if automation.listens { listen() }
        takeAttempts(at: now, chance: chance)
        let next = proceed(at: now, mayAttempt: mayAttempt)
        for position in record.steps.indices { record.steps[position].isLookedAt = false }
        return next
    }

    /// An attempt that was asked for has ended.
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
        conclude(position, outcome, at: now, chance: chance)
        var mayAttempt = mayAttempt
        if case .notMade = outcome { mayAttempt = false }
        return proceed(at: now, mayAttempt: mayAttempt)
    }

    /// The time of a waiting step may have come while attempts of others are under way.
    ///
    /// - Parameters:
    ///   - now: Microseconds of Unix time.
    ///   - mayAttempt: Whether whoever drives the run goes on with the next attempt.
    /// - Returns: What is to be done.
    mutating func timePassed(at now: Int64, mayAttempt: Bool = true) -> Next {
        proceed(at: now, mayAttempt: mayAttempt)
    }

    /// Time has passed: what waits, waits that much less.
    ///
    /// - Parameter duration: Since the run was claimed, or since the last call.
    mutating func elapse(_ duration: Duration) {
        for position in record.steps.indices {
            if let remaining = record.steps[position].remaining {
                record.steps[position].remaining = remaining - duration
            }
        }
    }

    /// How long it is until the next of the waiting steps goes on; nil where none waits.
    var nextWait: Duration? {
        record.steps.lazy.filter { $0.status == .waiting }.map { max(.zero, $0.remaining ?? .zero) }.min()
    }

    /// The same of the steps that wait for nothing but a time: whether anything else has come shows in the database alone.
    var nextTime: Duration? {
        record.steps.lazy.filter { $0.status == .waiting && !$0.awaits }.map { max(.zero, $0.remaining ?? .zero) }.min()
    }

    // MARK: Going on

    /// Begins every step that can begin, and says what is to be done then.
    private mutating func proceed(at now: Int64, mayAttempt: Bool) -> Next {
        var started: [Int] = []
        var isShortOfRoom = false
        var hasMoved = true
        while hasMoved {
            hasMoved = settle(at: now)
            var progress = RunProgress(automation, record)
            for position in record.steps.indices where progress.mayBegin(position) {
                let hasRoom = mayAttempt && progress.attempts < Self.maximumAttempts
                guard begin(position, at: now, hasRoom: hasRoom) else {
                    isShortOfRoom = isShortOfRoom || !mayAttempt
                    continue
                }
                hasMoved = true
                progress.begun(position, record.steps[position])
                if record.steps[position].isUnderWay { started.append(position) }
                if progress.isStopped(by: record.steps[position], at: position) { break }
            }
        }
        return next(started, isShortOfRoom: isShortOfRoom, at: now)
    }

    private mutating func next(_ started: [Int], isShortOfRoom: Bool, at now: Int64) -> Next {
        if record.steps.contains(where: \.isUnderWay) {
            record.status = .running
            return .attempts(started)
        }
        if isShortOfRoom {
            record.status = .queued
            return .queue
        }
        if let wait = nextWait {
            record.status = .waiting
            change.timer = wait
            return .wait(wait)
        }
        if record.steps.contains(where: { $0.status == .unknown }) {
            record.status = .unknown
            return .park
        }
        end(at: now)
        return .end
    }

    /// Changes a step, so that it is stored.
    mutating func update(_ position: Int, _ body: (inout RunRecord.Step) -> Void) {
        body(&record.steps[position])
        change.steps.insert(position)
    }
}
