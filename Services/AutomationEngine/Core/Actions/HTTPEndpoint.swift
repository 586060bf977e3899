import OutboundHTTP
import Templates

/// Where a registered action is called over HTTP, and what the calls carry.
struct HTTPEndpoint: Sendable {
    static let members: Set<String> = ["url", "headers", "secret", "authorization"]

    let url: OutboundURL
    /// The object `http` whole; its strings refer to secrets and nothing else.
    let fields: Template
    /// The name of the secret that signs calls, as Standard Webhooks has it; nil where they are not signed.
    let signingSecret: String?

    /// The secrets that a call needs.
    var secretNames: Set<String> { fields.secretNames.union(signingSecret.map { [$0] } ?? []) }
}
