/// Notices that a subscription brings nothing although its queue has something, or is gone.
///
/// A broker that loses a node or a queue can forget a consumer without telling it; RabbitMQ 3.10 does so with a quorum
/// queue that is deleted after its leader has changed. So a consumer that gets nothing for a while asks for its queue.
/// Where there is none, the broker closes the channel. Where messages are ready again and again, and not one came in
/// between although there is room for it, the subscription is dead.
struct QueueWatch {
    /// How many answers in a row it takes: one message may be on its way.
    static let proofs = 2
    /// How many it takes where another consumer may be the single active one.
    ///
    /// This one then rightly gets nothing while the other has much to do. To subscribe anew is harmless, and need not be
    /// done all the time.
    static let proofsOfStandby = 4

    private let needed: Int
    /// When the question was put that is not answered yet.
    private(set) var askedAt: ContinuousClock.Instant?

    /// Since when nothing has come, and nothing was asked.
    private var quietSince: ContinuousClock.Instant?
    private var suspicions = 0

    /// - Parameter needed: How many answers in a row it takes.
    init(needed: Int = QueueWatch.proofs) {
        self.needed = needed
    }

    /// The watch over the next subscription.
    var anew: QueueWatch { QueueWatch(needed: needed) }

    /// When the next question is due, if nothing comes until then.
    func next(every interval: Duration) -> ContinuousClock.Instant? {
        askedAt == nil ? quietSince.map { $0 + interval } : nil
    }

    /// The broker has confirmed the subscription.
    mutating func subscribed(at now: ContinuousClock.Instant) { quietSince = now }

    /// A message came.
    mutating func delivered(at now: ContinuousClock.Instant) {
        quietSince = now
        suspicions = 0
    }

    /// The owner thread has a subscription and asks whether to put the question now.
    mutating func polled(at now: ContinuousClock.Instant, every interval: Duration) -> Bool {
        guard let due = next(every: interval), due <= now else { return false }
        askedAt = now
        return true
    }

    /// The broker has said how many messages are ready.
    ///
    /// - Parameters:
    ///   - now: The present.
    ///   - messages: How many are ready.
    ///   - hasRoom: Whether one of them could have been delivered here.
    /// - Returns: Whether the subscription is dead.
    mutating func answered(at now: ContinuousClock.Instant, messages: Int, hasRoom: Bool) -> Bool {
        // What came since the question was put shows that the subscription lives.
        let isQuiet = (quietSince ?? now) <= (askedAt ?? now)
        suspicions = messages > 0 && hasRoom && isQuiet ? suspicions + 1 : 0
        askedAt = nil
        quietSince = now
        return suspicions >= needed
    }
}
