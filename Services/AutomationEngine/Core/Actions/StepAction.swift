import JSON

/// What a step does.
enum StepAction: Sendable {
    /// The engine carries it out itself.
    case builtIn(BuiltInAction)
    /// A service of the tenant's carries it out.
    case remote(RemoteAction)

    var key: String {
        switch self {
        case .builtIn(let action): action.rawValue
        case .remote(let action): action.key
        }
    }

    /// Whether its run waits in it for a signal.
    var waitsForSignal: Bool {
        if case .builtIn(.waitForSignal) = self { true } else { false }
    }

    /// Whether it is called over the broker, as far as that is known.
    var isOverBroker: Bool {
        if case .remote(let action) = self, case .amqp? = action.registration?.endpoint { true } else { false }
    }

    /// Whether an attempt reaches outside the engine, and must be recorded before it is made.
    var hasEffect: Bool {
        switch self {
        case .builtIn(let action): action.hasEffect
        case .remote: true
        }
    }

    /// Whether what it outputs in a dry run is only a sample of what it will output.
    var outputsSample: Bool {
        switch self {
        case .builtIn(let action): action.hasEffect || action.isWait
        case .remote: true
        }
    }

    /// Whether the action says itself what is wrong with an input, before the schema does.
    var hasOwnReader: Bool {
        switch self {
        case .builtIn(let action): action.hasOwnReader
        case .remote: false
        }
    }

    /// Whether an attempt of unknown outcome may simply be repeated where the step says nothing of it.
    ///
    /// - Parameter input: As the definition states it.
    /// - Returns: Whether it may.
    func isIdempotent(_ input: JSONView?) -> Bool {
        switch self {
        case .builtIn(let action): action.isIdempotent(input)
        case .remote(let action): action.registration?.declaration.isIdempotent ?? false
        }
    }

    /// What a step has that says nothing of it.
    var standardRetry: RetryPolicy {
        switch self {
        case .builtIn(let action): action.standardRetry
        case .remote(let action): action.registration?.declaration.retry ?? .standard
        }
    }

    /// How long an attempt may take where its step says nothing of it.
    var standardTimeout: Duration {
        switch self {
        case .builtIn: BuiltInAction.standardTimeout
        case .remote(let action): action.registration?.declaration.timeout ?? BuiltInAction.standardTimeout
        }
    }

    /// As it is declared; nil for one that is registered no longer.
    var declaration: ActionDeclaration? {
        switch self {
        case .builtIn(let action): ActionRegistry.builtIn[action.rawValue]
        case .remote(let action): action.registration?.declaration
        }
    }
}

/// An action that an administrator has registered.
struct RemoteAction: Sendable {
    var key: String
    /// Nil where it was withdrawn: a run that has begun comes as far as the step that names it.
    var registration: ActionRegistration?

    /// The refusal of what needs the action.
    static func withdrawn(_ key: String) -> StepError {
        StepError(code: "action_withdrawn", detail: "The action \"\(key)\" is not registered any more.")
    }
}
