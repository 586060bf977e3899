import Domain
import EventPattern
import FoundationEssentials
import JSON

/// What is to be done next about a replay; pure, so the same for every replica that looks at the same row.
enum ReplayStep: Equatable, Sendable {
    /// Ask the engine whether it has begun the runs of these; go on when it has.
    case verify([UUID])
    /// Consider the signals after the one id, up to and including the other.
    case read(after: UUID, through: UUID)
    /// Nothing yet: what was accepted so recently may not be committed yet.
    case wait
    /// Nothing any more.
    case end

    /// How long after a signal got its id the transaction that stores it may begin, in milliseconds.
    ///
    /// The intake begins none after its patience and two seconds more; the rest is for clocks that differ.
    static func settling(patience: Duration) -> UInt64 {
        UInt64(clamping: Int64(patience / .milliseconds(1))) + 5_000
    }

    /// - Parameters:
    ///   - replay: A replay that is running.
    ///   - now: Unix milliseconds: every transaction that has begun before has ended.
    ///   - settling: How long after a signal got its id its transaction may begin, in milliseconds.
    init(_ replay: Replay, at now: UInt64, settling: UInt64) {
        let settled = replay.span.end(before: now > settling ? now - settling : 0)
        if !replay.page.isEmpty {
            self = .verify(replay.page)
        } else if replay.position >= replay.span.end {
            self = .end
        } else if replay.position < settled {
            self = .read(after: replay.position, through: settled)
        } else {
            self = .wait
        }
    }
}

/// Which signals a replay sends.
struct ReplayCriterion: Sendable {
    let trigger: SignalTrigger
    let filter: EventPattern?
}

/// An accepted signal that a replay considers.
struct ReplayCandidate: Sendable {
    var signalID: UUID
    var type: String
    /// The event in structured form; nil where the type alone rules it out.
    var event: [UInt8]?
}

/// Signals that a replay has read in one go, and what becomes of them.
struct ReplayPage: Sendable {
    /// A signal that is sent once more.
    struct Match: Sendable {
        var signalID: UUID
        var type: String
        var event: JSONView
    }

    /// How many signals one transaction sends at most.
    static let limit = 200

    private(set) var matches: [Match] = []
    /// Signals that this release cannot read, and that are not sent.
    private(set) var unreadable: [UUID] = []
    /// How many signals of the automation's type were looked at.
    private(set) var considered = 0
    /// Every signal up to this id has been considered.
    let position: UUID

    /// Goes through signals in the order of their ids, until enough of them match.
    ///
    /// A signal that is aimed at an automation itself, a rerun or one made by hand, is never sent once more.
    ///
    /// - Parameters:
    ///   - candidates: What was read, in the order of ids.
    ///   - isWhole: Whether there is no more up to `end`.
    ///   - end: The greatest id of what was asked for.
    ///   - criterion: Which of them are sent.
    ///   - limit: How many at most.
    init(
        _ candidates: [ReplayCandidate],
        isWhole: Bool,
        end: UUID,
        criterion: ReplayCriterion,
        limit: Int = limit
    ) {
        for candidate in candidates {
            guard criterion.trigger.matches(candidate.type), let bytes = candidate.event else {
                continue
            }
            guard let event = try? JSONDocument(parsing: bytes, limits: .wrapped).root else {
                considered += 1
                unreadable.append(candidate.signalID)
                continue
            }
            guard event[RerunSignal.targetAttribute] == nil else {
                continue
            }
            considered += 1
            guard criterion.filter?.matches(event) ?? true else {
                continue
            }
            matches.append(Match(signalID: candidate.signalID, type: candidate.type, event: event))
            if matches.count == limit {
                position = candidate.signalID
                return
            }
        }
        position = isWhole ? end : candidates.last?.signalID ?? end
    }
}
