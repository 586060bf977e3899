/// What a webhook proves itself with.
enum HookCredential: Sendable, Equatable {
    case github
    case stripe
    case standardWebhooks
    /// The secret itself, in `Authorization`.
    case bearer
    /// A header of the publisher's own.
    case signature(HookSignature)

    /// What the sources of a kind use.
    ///
    /// - Parameters:
    ///   - kind: The source's kind.
    ///   - signature: How the publisher signs, where the source says so.
    init(_ kind: HookKind, signature: HookSignature?) {
        switch kind {
        case .github: self = .github
        case .stripe: self = .stripe
        case .standardWebhooks: self = .standardWebhooks
        case .alertmanager: self = .bearer
        case .generic: self = signature.map { .signature($0) } ?? .bearer
        }
    }

    /// Whether the secret itself is sent, and no signature.
    var isBearer: Bool { self == .bearer }

    /// Whether we may make its secret; elsewhere the publisher does.
    var generatesSecret: Bool { self != .stripe }
}
