/// How many of those that wait at a gate may go now.
struct HeldRunRoom: Sendable {
    let gate: AdmissionGate
    let isPaused: Bool
    /// What the newest version of the automation allows; nil where it sets no limit any more.
    let limit: Int?
    /// How many runs have a place of the gate.
    let going: Int
    let window: Duration?
    /// When the newest runs have begun, the newest first.
    let starts: [Int64]
    /// Microseconds of Unix time, by the clock of the database.
    let now: Int64
    /// How many were let go.
    var taken = 0

    /// How many may go.
    var room: Int {
        guard !isPaused else {
            return 0
        }
        let room =
            switch gate.kind {
            case .place: limit.map { $0 - going } ?? .max
            case .rate: limit.map { $0 - counted.count } ?? .max
            case .pause, .dedupe: Int.max
            }
        return max(0, min(room, HeldRunRepository.maximumReleases))
    }

    /// After how long somebody is to look again, where any still wait; nil where something else will say so.
    var lookAfter: Duration? {
        guard !isPaused else {
            return nil
        }
        // There is room, and whoever could have it was just being changed by somebody else.
        guard taken >= room else {
            return .milliseconds(200)
        }
        guard room < HeldRunRepository.maximumReleases else {
            return .zero
        }
        guard gate.kind == .rate, let limit, let window else {
            return nil
        }
        // The newest ones are those that were just let go.
        guard taken < limit, let oldest = counted.prefix(limit - taken).last else {
            return window
        }
        return window - .microseconds(now - oldest)
    }

    /// The starts that count now.
    private var counted: ArraySlice<Int64> {
        guard let window else {
            return []
        }
        let (least, overflows) = now.subtractingReportingOverflow(Int64(window / .microseconds(1)))
        return starts.prefix { overflows || $0 > least }
    }
}
