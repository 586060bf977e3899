/// Where a registered action is called.
enum ActionEndpoint: Sendable {
    case http(HTTPEndpoint)
    case amqp(AMQPEndpoint)

    /// The secrets that a call needs.
    var secretNames: Set<String> {
        switch self {
        case .http(let endpoint): endpoint.secretNames
        case .amqp(let endpoint): endpoint.signingSecret.map { [$0] } ?? []
        }
    }

    /// How long an attempt may take at most: an answer over the broker may be long in coming, and waiting costs nothing.
    var maximumTimeout: Duration {
        switch self {
        case .http: DefinitionReader.maximumTimeout
        case .amqp: DefinitionReader.longestTimeout
        }
    }
}

/// A registered action that is called over the broker; its way follows from its tenant and its key.
struct AMQPEndpoint: Sendable {
    static let members: Set<String> = ["secret"]

    /// The name of the secret that signs calls, as Standard Webhooks has it; nil where they are not signed.
    let signingSecret: String?
}
