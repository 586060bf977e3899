/// What a principal may do; one table of role by route decides (`docs/architecture.md`, "Identity").
package enum Role: String, CaseIterable, Sendable {
    /// Posts signals and nothing else.
    case sender
    /// Reads what is not about the audit log.
    case viewer
    /// Posts signals, reads, and steers runs.
    case `operator`
    /// Writes automations.
    case author
    /// Everything in its tenant.
    case admin
    /// Reads, the audit log included.
    case auditor
}
