import Domain
import JSON

/// When a step whose attempt has failed is tried again.
struct RetryPolicy: Equatable, Sendable {
    /// How the delay grows from one attempt to the next.
    enum Backoff: String, CaseIterable, Sendable {
        case constant
        case exponential
    }

    /// Errors that are named.
    struct Errors: Equatable, Sendable {
        var codes: Set<String> = []
        /// Statuses of answers.
        var statuses: Set<Int64> = []

        /// Whether an error is one of those named.
        func contains(_ error: StepError) -> Bool {
            guard !codes.contains(error.code) else {
                return true
            }
            guard case .number(let status)? = error.members["status"] else {
                return false
            }
            return statuses.contains { status == JSONNumber($0) }
        }
    }

    /// Attempts in all, the first one included; at least 1.
    var maximumAttempts = 1
    /// Before the second attempt.
    var delay = Duration.seconds(1)
    var backoff = Backoff.exponential
    /// What the delay grows to at most.
    var maximumDelay = Duration.seconds(60)
    /// Whether each delay is shortened by chance, to as little as its half.
    var hasJitter = true
    /// What is not tried again, whatever attempts are left.
    var nonRetryable = Errors()

    /// A single attempt.
    static let never = RetryPolicy()

    /// What an action has that talks to others, unless its step says otherwise.
    static let standard = RetryPolicy(maximumAttempts: 3)

    /// How long to wait after an attempt that has failed.
    ///
    /// - Parameters:
    ///   - attempt: The attempt's number, from 1.
    ///   - chance: From 0 to 1; decides the jitter.
    /// - Returns: Nil where no attempt is left.
    func delay(after attempt: Int, chance: Double) -> Duration? {
        guard attempt < maximumAttempts else {
            return nil
        }
        var wait = min(delay, maximumDelay)
        if backoff == .exponential {
            // Doubling ends at the limit, so that no number of attempts overflows.
            for _ in 1..<max(1, attempt) where wait < maximumDelay {
                wait = min(wait * 2, maximumDelay)
            }
        }
        return hasJitter ? wait * (1 - chance / 2) : wait
    }
}
