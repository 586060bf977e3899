import DequeModule

/// What one destination of a lane still has to publish: from memory where it is there, from the outbox where it is not.
///
/// Pure. Messages are handed in as they are committed and taken out in the order of their numbers.
struct RelayQueue {
    /// What to publish next.
    enum Next {
        case messages([OutboxMessage])
        /// Memory does not hold what comes next: it must be read from the outbox, after this number.
        case read(after: Int64)
        case nothing
    }

    /// Memory held is bounded by this; what is beyond is read from the outbox again.
    static let maximumBytes = 16 * 1_024 * 1_024

    private var pending: Deque<OutboxMessage> = []
    private var pendingBytes = 0
    /// The last number that was taken out.
    private(set) var takenSeq: Int64
    /// The last number known to be committed.
    private(set) var committedSeq: Int64

    init(taken: Int64, committed: Int64) {
        takenSeq = taken
        committedSeq = committed
    }

    /// A message was committed.
    ///
    /// Numbers arrive in order.
    mutating func committed(_ message: OutboxMessage) {
        let follows = message.firstSeq == (pending.last?.lastSeq ?? takenSeq) + 1
        committedSeq = max(committedSeq, message.lastSeq)
        guard follows, pendingBytes + message.body.count <= Self.maximumBytes else {
            return
        }
        pending.append(message)
        pendingBytes += message.body.count
    }

    /// Everything up to this number is committed, though its messages are not at hand.
    mutating func committed(through seq: Int64) {
        committedSeq = max(committedSeq, seq)
    }

    /// Something is to be published; at most this many messages.
    mutating func next(maximum: Int) -> Next {
        guard !pending.isEmpty else {
            return takenSeq < committedSeq ? .read(after: takenSeq) : .nothing
        }
        let taken = Array(pending.prefix(maximum))
        pending.removeFirst(taken.count)
        pendingBytes -= taken.reduce(0) { $0 + $1.body.count }
        takenSeq = taken.last?.lastSeq ?? takenSeq
        return .messages(taken)
    }

    /// Messages were read from the outbox because memory did not hold them.
    mutating func read(_ messages: [OutboxMessage]) {
        guard let last = messages.last else {
            return
        }
        takenSeq = max(takenSeq, last.lastSeq)
    }
}
