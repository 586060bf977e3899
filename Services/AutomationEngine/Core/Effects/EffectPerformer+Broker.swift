import Contracts
import Domain
import FoundationEssentials
import Messaging

extension EffectPerformer {
    /// How long the broker may take to take a call.
    static let publishing = Duration.seconds(10)

    /// Sends the call of a registered action over the broker; its answer comes later.
    ///
    /// - Parameters:
    ///   - message: The call.
    ///   - route: The way to the action's service.
    ///   - deadline: Until when the answer is waited for.
    /// - Returns: That it is sent, or that it certainly is not.
    func publish(
        _ message: OutgoingMessage,
        to route: ActionRoute,
        _ deadline: ContinuousClock.Instant
    ) async -> AttemptOutcome {
        guard let publisher else {
            return Self.refused("broker_unavailable", "The engine has no connection to the broker.")
        }
        let sent = AttemptOutcome.sent(within: max(.milliseconds(1), deadline - .now))
        do throws(RabbitMQError) {
            switch try await Self.publish(message, publisher, until: min(deadline, .now + Self.publishing)) {
            case .confirmed:
                return sent
            case .returned:
                return Self.refused(
                    "no_service",
                    "There is no queue \"\(route.queueName)\"; "
                        + "`batuta broker action --tenant \(route.tenant) --action \(route.action)` makes it."
                )
            }
        } catch {
            switch error.code {
            case .connectionLost, .confirmTimeout, .cancelled:
                // The broker may have it: the answer tells, or the end of the time.
                return sent
            case .nacked:
                return Self.refused(
                    "queue_full",
                    "The queue \"\(route.queueName)\" takes no more calls; its service does not keep up."
                )
            default:
                return Self.refused("broker_unavailable", "The broker does not take the call now; nothing was sent.")
            }
        }
    }

    private static func publish(
        _ message: OutgoingMessage,
        _ publisher: RabbitMQPublisher,
        until deadline: ContinuousClock.Instant
    ) async throws(RabbitMQError) -> PublishOutcome {
        do {
            return try await publisher.publish(message, deadline: deadline)
        } catch let error as RabbitMQError {
            throw error
        } catch {
            throw RabbitMQError(.confirmTimeout, "the publish failed: \(error)")
        }
    }

    private static func refused(_ code: String, _ detail: String) -> AttemptOutcome {
        .failed(AttemptOutcome.Failure(error: StepError(code: code, detail: detail), isRetryable: true))
    }
}
