/// Decides what of one destination of a lane was lost, and is not merely waiting in its queue.
///
/// Pure. A queue gives out in the order in which it was filled. So when the consumer holds a message and, for a while,
/// lacks one that was published before it, that one has left the queue and was lost. Without such a proof only the last
/// message is published again, which is the proof once it arrives: a backlog is no loss, and is not made longer.
struct LossJudge {
    /// A message that the consumer was asked about.
    struct Asked: Equatable {
        var firstSeq: Int64
        var isHeld: Bool
    }

    /// How long something is lacking before it is judged: what was given out after it may be done before it.
    static let patience = Duration.seconds(1)
    /// The longest wait between two copies of the same message.
    static let longestPatience = Duration.seconds(60)

    /// The first message that the consumer lacked when it was asked last.
    private var firstLacking: Int64?
    /// When that one is judged.
    private var due = ContinuousClock.now
    private var wait = LossJudge.patience
    /// What was published again: the latest copies of these stand behind those of all others.
    private var resent: Set<Int64> = []
    /// What was published before this message, and not again, has left the queue.
    private var goneBefore: Int64 = 0

    /// Whether the consumer lacked something when it was asked last.
    var isWaiting: Bool { firstLacking != nil }

    /// The consumer answered.
    ///
    /// - Parameters:
    ///   - window: The messages after the watermark, in their order.
    ///   - tail: The last message that is confirmed, where it is not in the window and was asked about as well.
    ///   - now: The instant of the answer.
    /// - Returns: The first numbers of the messages to publish again.
    mutating func judge(_ window: [Asked], tail: Asked? = nil, at now: ContinuousClock.Instant) -> [Int64] {
        guard let first = window.first(where: { !$0.isHeld })?.firstSeq else {
            firstLacking = nil
            resent = []
            return []
        }
        let isResent = resent.contains(first)
        if first != firstLacking {
            firstLacking = first
            resent = resent.filter { $0 >= first }
            wait = Self.patience
            due = first < goneBefore && !isResent ? now : now + wait
        }
        guard now >= due else {
            return []
        }
        // Copies of one kind stand in the queue in the order of their numbers.
        let alike = (window + (tail.map { [$0] } ?? [])).filter { resent.contains($0.firstSeq) == isResent }
        let proof = alike.last(where: \.isHeld)?.firstSeq ?? 0
        if !isResent {
            goneBefore = max(goneBefore, proof)
        }
        let gone = isResent ? proof : goneBefore
        due = now + wait
        wait = min(wait * 2, Self.longestPatience)
        guard gone > first else {
            return alike.last.map { [$0.firstSeq] } ?? []
        }
        let lost = window.filter { !$0.isHeld && $0.firstSeq < gone && resent.contains($0.firstSeq) == isResent }
            .map(\.firstSeq)
        resent.formUnion(lost)
        return lost
    }
}
