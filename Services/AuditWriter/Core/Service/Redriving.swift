import Contracts
import Messaging

/// Processes the message of a dead letter as the queue would have it processed that its contract belongs to.
struct Redriving: Sendable {
    let log: LogIntake
    let keeping: KeepIntake

    /// Commits the work of deliveries that are all of one kind.
    func process(_ deliveries: [Delivery]) async throws {
        if deliveries.allSatisfy({ $0.properties.type == ContractType.auditKeep }) {
            try await keeping.process(deliveries)
        } else {
            try await log.process(deliveries)
        }
    }
}
