import DequeModule

/// What one destination of a lane still has to publish: from memory where it is there, from the outbox where it is not.
///
/// Pure. Messages are handed in as they are committed and taken out in the order of their numbers, and no more of them
/// than the window allows: what is beyond it waits in the outbox, and in no memory, until the consumer is known to hold
/// what was published before.
struct RelayQueue {
    /// What to publish next.
    enum Next {
        case messages([OutboxMessage])
        /// Memory does not hold what comes next: it must be read from the outbox, after one number and up to another.
        case read(after: Int64, through: Int64, limit: Int)
        /// As much as the window allows is published and not verified.
        case held
        case nothing
    }

    /// Memory held is bounded by this; what is beyond is read from the outbox again.
    static let maximumBytes = 16 * 1_024 * 1_024
    /// So many items at most are read from the outbox while those committed meanwhile are kept in memory.
    static let longestGap: Int64 = 2_000
    /// How many messages are read from the outbox at a time: fewer of large ones.
    static let readLimits = 8...256
    /// A reading of more bytes than this makes the next one smaller.
    static let readBytes = 4 * 1_024 * 1_024

    private var pending: Deque<OutboxMessage> = []
    private var pendingBytes = 0
    private var readLimit = 64
    private let window: Int64
    /// The last number that was taken out.
    private(set) var takenSeq: Int64
    /// The last number known to be committed.
    private(set) var committedSeq: Int64
    /// The last number that the consumer is known to hold together with all before it.
    private(set) var verifiedSeq: Int64

    /// - Parameters:
    ///   - taken: The last number that was published before.
    ///   - committed: The last number known to be committed.
    ///   - verified: The last number that the consumer is known to hold.
    ///   - window: How many items may be published and not verified.
    init(taken: Int64, committed: Int64, verified: Int64 = 0, window: Int64 = OutboxLimits.standardWindow) {
        takenSeq = taken
        committedSeq = committed
        verifiedSeq = verified
        self.window = window
    }

    /// How many items are committed and not verified.
    var waiting: Int64 { max(0, committedSeq - verifiedSeq) }

    /// Whether something waits for the consumer, and for nothing else.
    var isHeld: Bool { takenSeq < committedSeq && room <= 0 }

    private var room: Int64 { window - (takenSeq - verifiedSeq) }

    /// A message was committed.
    ///
    /// Numbers arrive in order.
    mutating func committed(_ message: OutboxMessage) {
        let follows = message.firstSeq == (pending.last?.lastSeq ?? max(committedSeq, takenSeq)) + 1
        let gap = (pending.first ?? message).firstSeq - takenSeq - 1
        committedSeq = max(committedSeq, message.lastSeq)
        guard follows, room > 0, gap <= Self.longestGap, pendingBytes + message.body.count <= Self.maximumBytes else {
            return
        }
        pending.append(message)
        pendingBytes += message.body.count
    }

    /// Everything up to this number is committed, though its messages are not at hand.
    mutating func committed(through seq: Int64) {
        committedSeq = max(committedSeq, seq)
    }

    /// The consumer holds everything up to this number.
    mutating func verified(_ seq: Int64) {
        verifiedSeq = max(verifiedSeq, seq)
    }

    /// Something is to be published; at most this many messages.
    mutating func next(maximum: Int) -> Next {
        guard takenSeq < committedSeq else {
            return .nothing
        }
        guard room > 0 else {
            pending.removeAll()
            pendingBytes = 0
            return .held
        }
        let last = takenSeq + room
        guard let first = pending.first, first.firstSeq <= takenSeq + 1 else {
            let end = pending.first.map { $0.firstSeq - 1 } ?? .max
            return .read(after: takenSeq, through: min(last, end), limit: readLimit)
        }
        let taken = Array(pending.prefix(maximum).prefix { $0.firstSeq <= last })
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
        let bytes = messages.reduce(0) { $0 + $1.body.count }
        if bytes > Self.readBytes {
            readLimit = max(Self.readLimits.lowerBound, readLimit / 2)
        } else if messages.count == readLimit, bytes < Self.readBytes / 4 {
            readLimit = min(Self.readLimits.upperBound, readLimit * 2)
        }
    }
}
