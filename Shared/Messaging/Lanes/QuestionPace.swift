/// When the consumer of a lane's messages is asked again which of them it lacks.
///
/// A question costs the same for one item as for a thousand: an answer that was followed by another question at once would
/// let a lane that is always busy ask without a pause, about what little was confirmed in between.
struct QuestionPace: Sendable {
    /// What a question has brought.
    enum Outcome: Sendable {
        /// The consumer holds everything that it was asked about, and there is more to ask about.
        case goesOn
        /// The watermark has moved.
        case progress
        /// It has not, or there was no answer.
        case nothing
    }

    /// The waits between questions about the same items: short enough for a backlog to go on as fast as its consumer.
    static let waits = Duration.milliseconds(100)...Duration.seconds(1)
    /// The wait after a question about all that could be asked about, where nothing waits for the answer.
    static let idle = Duration.milliseconds(500)

    private var notBefore: ContinuousClock.Instant?
    private var wait = waits.lowerBound

    /// Whether it is time for the next question.
    func isDue(at now: ContinuousClock.Instant) -> Bool {
        notBefore.map { $0 <= now } ?? true
    }

    /// Takes what a question has brought.
    ///
    /// - Parameters:
    ///   - outcome: What it has brought.
    ///   - isHeld: Whether messages wait to be published until the consumer is known to hold those before them.
    ///   - now: When the answer came.
    mutating func answered(_ outcome: Outcome, isHeld: Bool, at now: ContinuousClock.Instant) {
        switch outcome {
        case .goesOn:
            notBefore = now
        case .progress:
            notBefore = now + (isHeld ? Self.waits.lowerBound : Self.idle)
        case .nothing:
            notBefore = now + wait
        }
        wait = outcome == .nothing ? min(wait * 2, Self.waits.upperBound) : Self.waits.lowerBound
    }

    /// Goes back to the shortest wait, because the consumer is about to get what it lacks.
    mutating func hurry() {
        wait = Self.waits.lowerBound
    }
}
