/// What is known of an attempt that has ended.
enum AttemptOutcome: Equatable, Sendable {
    /// The effect certainly did not happen, or was refused.
    struct Failure: Equatable, Sendable {
        var error: StepError
        /// Whether another attempt may succeed.
        var isRetryable: Bool
        /// How long the other side asks to wait.
        var retryAfter: Duration?
    }

    case succeeded(output: [UInt8])
    case failed(Failure)
    /// The effect may have happened.
    case unknown(StepError)
    /// The call is with a service that answers later, or not at all within this time; the attempt has not ended.
    case sent(within: Duration)
    /// The attempt was given up before it began; another one is made by whoever holds the run then.
    case notMade(StepError)

    /// As it is stored with the end of an attempt; what is sent has none.
    var name: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed, .notMade: "failed"
        case .unknown, .sent: "unknown"
        }
    }

    var error: StepError? {
        switch self {
        case .succeeded, .sent: nil
        case .failed(let failure): failure.error
        case .unknown(let error), .notMade(let error): error
        }
    }
}
