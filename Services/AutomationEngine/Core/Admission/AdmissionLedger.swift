import FoundationEssentials

/// What is known of the gates of some runs, and what is decided by it.
///
/// Pure: what it knows was read under the locks of the gates, and what it decides is stored before these are let go of.
struct AdmissionLedger: Sendable {
    /// Runs that are under way at once, of one key.
    struct Places: Sendable {
        var going: Int
        /// The oldest of them first; where none is to be canceled, only that one.
        var oldest: [UUID]
        /// How many wait; beyond the limit it does not matter how many.
        var waiting: Int
    }

    /// Runs that have begun, of one key.
    struct Starts: Sendable {
        /// When, in microseconds of Unix time, the newest first; no more than the limit.
        var times: [Int64]
        var newestRun: UUID?
        var hasWaiting: Bool
    }

    /// A run that waits, or has a place.
    struct Entry: Sendable, Equatable {
        /// Where a run stands.
        enum Stage: String, Sendable {
            case pause
            case place
            case rate
            case going
        }

        var stage: Stage
        var placeKey: String?
        var rateKey: String?
        /// After how long somebody is to look whether it may go; nil where another run's row says so.
        var lookAfter: Duration?

        var isHeld: Bool { stage.isHeld }
    }

    /// A run has begun that a rate counts.
    struct Start: Sendable {
        var gate: AdmissionGate
        var run: UUID
        var window: Duration
    }

    /// Which run holds a dedupe key.
    struct Holder: Sendable {
        var run: UUID
        /// Whether it gives the key up with its end.
        var endsWithRun: Bool
    }

    /// A dedupe key that a run holds from now on.
    struct Holding: Sendable {
        var gate: AdmissionGate
        var run: UUID
        var window: Duration
        var endsWithRun: Bool
    }

    /// What becomes of a run.
    struct Verdict: Sendable {
        enum Outcome: Sendable {
            case begins
            /// It is queued, and nobody claims it before it is let go.
            case held
            case refused(AdmissionRefusal)
        }

        var outcome: Outcome
        /// The runs that are canceled for it.
        var superseded: [UUID] = []
    }

    /// Microseconds of Unix time, by the clock of the database.
    var now: Int64 = 0
    var paused: Set<UUID> = []
    var places: [AdmissionGate: Places] = [:]
    var rates: [AdmissionGate: Starts] = [:]
    /// The dedupe keys that are held, and by which run.
    var holders: [AdmissionGate: Holder] = [:]

    private(set) var entries: [UUID: Entry] = [:]
    private(set) var starts: [Start] = []
    private(set) var holdings: [AdmissionGate: Holding] = [:]
    private(set) var refusals: [AdmissionRefusal] = []

    /// Decides about a run.
    mutating func decide(_ request: AdmissionRequest) -> Verdict {
        if let gate = request.dedupe, let holder = holders[gate] {
            return refuse(request, .deduplicated, gate, holder.run)
        }
        guard !isPaused(request) else {
            hold(request)
            return wait(request, .pause, rate: request.rate)
        }
        if let refusal = skipped(request) {
            return refusal
        }
        hold(request)
        var rate = request.rate
        if let gate = rate, !request.isResumed, request.policy.rate?.onLimit == .skip {
            // What the rate would skip is counted when it arrives, and waits for it no more.
            start(request, gate)
            rate = nil
        }
        guard let superseded = takePlace(request) else {
            return wait(request, .place, rate: rate)
        }
        if let gate = rate {
            if case .wait(let lookAfter) = turn(request, gate) {
                // Who gives way may be the one whose row says when somebody is to look.
                let soon = superseded.isEmpty ? lookAfter : .zero
                return wait(request, .rate, rate: rate, lookAfter: soon, superseded)
            }
            start(request, gate)
        }
        if let gate = request.place {
            entries[request.runID] = Entry(stage: .going, placeKey: gate.key, rateKey: rate?.key)
        }
        return Verdict(outcome: .begins, superseded: superseded)
    }

    /// A run that has begun has ended in the same transaction: what it had is free again.
    mutating func ended(_ request: AdmissionRequest) {
        if let gate = request.place, entries[request.runID] != nil {
            places[gate]?.going -= 1
            places[gate]?.oldest.removeAll { $0 == request.runID }
        }
        leave(request.runID)
    }

    /// A run has no place any more, and no key that it gives up with its end.
    private mutating func leave(_ run: UUID) {
        entries[run] = nil
        for gate in holders.filter({ $0.value.run == run && $0.value.endsWithRun }).keys {
            holders[gate] = nil
        }
    }

    private func isPaused(_ request: AdmissionRequest) -> Bool {
        request.pause != nil && paused.contains(request.automationID)
    }

    /// Refuses a run that finds no room and is not to wait.
    private mutating func skipped(_ request: AdmissionRequest) -> Verdict? {
        guard !request.isResumed else {
            return nil
        }
        if let gate = request.place, let limit = request.policy.concurrency, limit.onLimit == .skip,
            let places = places[gate], places.going + places.waiting >= limit.limit
        {
            return refuse(request, .concurrency, gate, places.oldest.first)
        }
        if let gate = request.rate, let limit = request.policy.rate, limit.onLimit == .skip,
            let starts = rates[gate], starts.hasWaiting || current(starts, limit).count >= limit.limit
        {
            return refuse(request, .rateLimit, gate, starts.newestRun)
        }
        return nil
    }

    /// Takes a place; nil where there is none, else the runs that give theirs up.
    private mutating func takePlace(_ request: AdmissionRequest) -> [UUID]? {
        guard let gate = request.place, let limit = request.policy.concurrency, var places = places[gate] else {
            return []
        }
        var superseded: [UUID] = []
        if limit.onLimit == .cancelRunning, !request.isResumed {
            superseded = Array(places.oldest.prefix(max(0, places.going + 1 - limit.limit)))
            places.going -= superseded.count
            places.oldest.removeFirst(superseded.count)
            for run in superseded { leave(run) }
        } else if places.going + places.waiting >= limit.limit {
            self.places[gate]?.waiting += 1
            return nil
        }
        places.going += 1
        places.oldest.append(request.runID)
        self.places[gate] = places
        return superseded
    }

    private enum Turn {
        case now
        /// Somebody looks after this time whether it has come; nil where one who waits already is looked at.
        case wait(Duration?)
    }

    /// Whether the rate lets a run begin.
    private mutating func turn(_ request: AdmissionRequest, _ gate: AdmissionGate) -> Turn {
        guard let limit = request.policy.rate, let starts = rates[gate] else {
            return .now
        }
        if starts.hasWaiting {
            return .wait(nil)
        }
        let times = current(starts, limit)
        guard times.count >= limit.limit, let oldest = times.last else {
            return .now
        }
        rates[gate]?.hasWaiting = true
        return .wait(limit.window - .microseconds(now - oldest))
    }

    private mutating func wait(
        _ request: AdmissionRequest,
        _ stage: Entry.Stage,
        rate: AdmissionGate?,
        lookAfter: Duration? = nil,
        _ superseded: [UUID] = []
    ) -> Verdict {
        entries[request.runID] = Entry(
            stage: stage,
            placeKey: request.place?.key,
            rateKey: rate?.key,
            // A run that goes on takes the row that may say that its own old place is free.
            lookAfter: request.isResumed ? .zero : lookAfter
        )
        return Verdict(outcome: .held, superseded: superseded)
    }

    private mutating func start(_ request: AdmissionRequest, _ gate: AdmissionGate) {
        guard let limit = request.policy.rate else {
            return
        }
        starts.append(Start(gate: gate, run: request.runID, window: limit.window))
        rates[gate]?.times.insert(now, at: 0)
        rates[gate]?.newestRun = request.runID
    }

    /// The starts that count now.
    private func current(_ starts: Starts, _ limit: AdmissionPolicy.Rate) -> ArraySlice<Int64> {
        let (least, overflows) = now.subtractingReportingOverflow(Int64(limit.window / .microseconds(1)))
        let times = starts.times.prefix { overflows || $0 > least }
        return times.prefix(limit.limit)
    }

    private mutating func hold(_ request: AdmissionRequest) {
        guard let gate = request.dedupe, let dedupe = request.policy.dedupe else {
            return
        }
        holders[gate] = Holder(run: request.runID, endsWithRun: dedupe.endsWithRun)
        holdings[gate] = Holding(
            gate: gate,
            run: request.runID,
            window: dedupe.window,
            endsWithRun: dedupe.endsWithRun
        )
    }

    private mutating func refuse(
        _ request: AdmissionRequest,
        _ reason: AdmissionRefusal.Reason,
        _ gate: AdmissionGate,
        _ run: UUID?
    ) -> Verdict {
        let refusal = AdmissionRefusal(
            signalID: request.signalID,
            tenant: request.tenant,
            automationKey: request.automationKey,
            reason: reason,
            key: gate.key,
            run: run
        )
        refusals.append(refusal)
        return Verdict(outcome: .refused(refusal))
    }
}

extension AdmissionLedger.Entry.Stage {
    /// Whether a run that stands here waits.
    var isHeld: Bool { self != .going }

    /// What a run waits for that stands here, as metrics name it.
    var reason: String {
        switch self {
        case .pause: "paused"
        case .place: "concurrency"
        case .rate: "rate_limit"
        case .going: "none"
        }
    }
}
