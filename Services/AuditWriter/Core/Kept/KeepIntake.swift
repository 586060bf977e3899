package import Messaging

/// What is done with deliveries of `audit.commands`.
package struct KeepIntake: Sendable {
    private let repository: KeptBodyRepository
    private let deadLetters: DeadLetterRepository

    package init(repository: KeptBodyRepository, deadLetters: DeadLetterRepository) {
        self.repository = repository
        self.deadLetters = deadLetters
    }

    /// Keeps the values of deliveries in one transaction.
    package func process(_ deliveries: [Delivery]) async throws {
        var commands: [KeepCommand] = []
        for delivery in deliveries {
            commands.append(try KeepCommand(delivery))
        }
        try await repository.keep(commands, deadline: .now + .seconds(30))
    }

    /// Puts a delivery away; without its body where that holds a value that was erased.
    package func bury(_ delivery: Delivery, reason: String) async throws {
        let letter = DeadLetter(delivery, reason: reason)
        let deadline = ContinuousClock.now + .seconds(15)
        guard let command = try? KeepCommand(delivery) else {
            return try await deadLetters.insert(letter, deadline: deadline)
        }
        try await repository.bury(command, deadLetters.insertion(of: letter), deadline: deadline)
    }
}
