/// What became of a webhook's signature: a label for logs and metrics that says nothing about any secret.
package enum SignatureVerdict: String, Sendable, Hashable, CaseIterable {
    /// The signature is that of one of the secrets, and its time is near.
    case valid
    /// There is no signature, or none of a scheme that the verifier has a secret for.
    case missing
    /// A header is not written as the scheme demands, stands twice, or is longer than allowed.
    case malformed
    /// The signature is of another body, id or time, or made with another secret.
    case wrong
    /// The signature is right, but its time is more than five minutes ago: late, or replayed.
    case tooOld = "too_old"
    /// The signature is right, but its time is more than five minutes ahead: a clock is wrong.
    case tooNew = "too_new"

    /// Whether the message may be taken.
    package var isValid: Bool { self == .valid }
}

/// A verdict other than `valid`, on its way out of a verifier.
struct SignatureRefusal: Error {
    let verdict: SignatureVerdict

    init(_ verdict: SignatureVerdict) { self.verdict = verdict }
}
