/// What sends to a hook source: how it signs, and how its bodies become signals.
package enum HookKind: String, CaseIterable, Sendable {
    case github
    case alertmanager
    case stripe
    case standardWebhooks = "standard-webhooks"
    case generic

    /// What the types of its signals begin with, where the source says nothing else.
    var typePrefix: String? {
        switch self {
        case .github, .alertmanager, .stripe: rawValue
        case .standardWebhooks, .generic: nil
        }
    }
}
