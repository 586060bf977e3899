/// The actions that the engine carries out itself.
enum BuiltInAction: String, CaseIterable, Sendable {
    case transform = "data.transform"
    case emit = "signal.emit"
    case http = "http.request"
    case delay = "flow.delay"

    /// Whether an attempt reaches outside the engine, and must be recorded before it is made.
    ///
    /// What a step emits is stored with the run itself.
    var hasEffect: Bool {
        switch self {
        case .transform, .emit, .delay: false
        case .http: true
        }
    }

    /// What a step has that says nothing of it.
    var standardRetry: RetryPolicy { hasEffect ? .standard : .never }

    /// How long an attempt may take where its step says nothing of it.
    static let standardTimeout = Duration.seconds(30)
}
