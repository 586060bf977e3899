import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import ServiceBase

/// What the engine does with deliveries of `engine.signals`.
struct SignalIntake: Sendable {
    let processor: SignalProcessor
    let deadLetters: DeadLetterRepository
    let metrics: EngineMetrics

    /// How many signals one transaction takes at most.
    static let maximumSignals = 1_000

    /// Processes deliveries: in one transaction, or in several where they hold very many signals.
    ///
    /// The inbox makes it safe to be cut off in between: what is done is skipped the next time.
    func process(_ deliveries: [Delivery]) async throws {
        var signals: [IncomingSignal] = []
        for delivery in deliveries {
            signals += try IncomingSignal.read(delivery)
        }
        var rest = signals[...]
        while !rest.isEmpty {
            try await process(Array(rest.prefix(Self.maximumSignals)))
            rest = rest.dropFirst(Self.maximumSignals)
        }
    }

    /// Puts away what cannot be processed: only the culprits among the delivery's signals, or all of a delivery that
    /// cannot be read or has ended the process again and again.
    func bury(_ delivery: Delivery, reason: String) async throws {
        let deadline = ContinuousClock.now + .seconds(15)
        guard let signals = try? IncomingSignal.read(delivery) else {
            try await deadLetters.insert(DeadLetter(delivery, reason: reason), deadline: deadline)
            return
        }
        for signal in signals {
            if delivery.deliveryCount < BatchPlan.redeliveriesAtAll {
                do {
                    try await process([signal])
                    continue
                } catch  where Self.classify(error) == .retry {
                    throw error
                } catch {
                    // This signal is the culprit.
                }
            }
            try await deadLetters.insert(
                DeadLetter(delivery, itemID: signal.id, body: signal.event, reason: reason),
                deadline: deadline
            )
        }
    }

    /// Whether a failure passes by itself, or lies in the data.
    static func classify(_ error: any Error) -> BatchConsumer.FailureKind {
        error is UnreadableDelivery || error is RetiredSignal ? .data : BatchConsumer.FailureKind(of: error)
    }

    private func process(_ signals: [IncomingSignal]) async throws {
        let start = ContinuousClock.now
        do {
            let outcome = try await processor.process(signals)
            metrics.record(outcome, took: ContinuousClock.now - start)
        } catch let error as PostgresError where error.isMissingPartition {
            // A partition to come is made in a moment; one that was dropped never comes back.
            guard signals.contains(where: isRetired) else {
                throw error
            }
            throw RetiredSignal()
        }
    }

    /// Whether a signal is so old that retention may have dropped what tells whether it was processed.
    private func isRetired(_ signal: IncomingSignal) -> Bool {
        let oldest = processor.now() / 1_000 - Int64(RetentionPolicy.minimumDays) * 86_400_000
        return Int64(clamping: UUIDv7.milliseconds(of: signal.id) ?? .max) < oldest
    }
}
