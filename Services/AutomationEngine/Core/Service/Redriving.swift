import Messaging

/// Processes the message of a dead letter as the queue would have it processed that its exchange leads to.
struct Redriving: Sendable {
    let signals: SignalIntake
    let answers: ActionAnswerIntake

    /// Commits the work of deliveries that are all of one kind.
    func process(_ deliveries: [Delivery]) async throws {
        if deliveries.allSatisfy({ $0.exchange == Topology.actionsExchange }) {
            try await answers.process(deliveries)
        } else {
            try await signals.process(deliveries)
        }
    }
}
