import JSON

/// The actions that the engine carries out itself.
enum BuiltInAction: String, CaseIterable, Sendable {
    case transform = "data.transform"
    case emit = "signal.emit"
    case http = "http.request"
    case delay = "flow.delay"
    case webhook = "notify.webhook"
    case approval = "flow.approval"
    case waitForSignal = "flow.wait_for_signal"
    case email = "notify.email"
    case run = "automation.run"

    /// Whether an attempt reaches outside the engine, and must be recorded before it is made.
    ///
    /// What a step emits is stored with the run itself.
    var hasEffect: Bool {
        switch self {
        case .transform, .emit, .delay, .approval, .waitForSignal, .run: false
        case .http, .webhook, .email: true
        }
    }

    /// Whether the run only waits in it, and makes no attempt.
    var isWait: Bool {
        switch self {
        case .delay, .approval, .waitForSignal, .run: true
        case .transform, .emit, .http, .webhook, .email: false
        }
    }

    /// Whether an attempt of unknown outcome may simply be repeated where the step says nothing of it.
    ///
    /// - Parameter input: As the definition states it.
    /// - Returns: Whether it may; false where a template decides what is sent.
    func isIdempotent(_ input: JSONView?) -> Bool {
        switch self {
        case .transform, .emit, .delay, .approval, .waitForSignal, .run: true
        case .http: HTTPCall.isIdempotent(input)
        // Whoever verifies the signature knows the message's id, and takes it for what it is: the same once more.
        case .webhook: input?["secret"] != nil
        // Not every mailbox leaves out what it has already.
        case .email: false
        }
    }

    /// Whether the action says itself what is wrong with an input, before the schema does.
    var hasOwnReader: Bool { self != .transform }

    /// What a step has that says nothing of it.
    var standardRetry: RetryPolicy { hasEffect ? .standard : .never }

    /// How long an attempt may take where its step says nothing of it.
    static let standardTimeout = Duration.seconds(30)
}
