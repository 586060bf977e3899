import Metrics

/// What is counted of webhooks.
struct HookMetrics: Sendable {
    /// Webhooks whose signals were committed.
    func accepted(_ kind: HookKind) {
        Counter(label: "batuta_hook_deliveries_total", dimensions: [("kind", kind.rawValue)]).increment()
    }

    /// A webhook was refused.
    ///
    /// - Parameters:
    ///   - kind: The source's kind, where there is such a source.
    ///   - reason: The signature's verdict, or the code of the problem.
    func refused(_ kind: HookKind?, _ reason: String) {
        Counter(
            label: "batuta_hook_refusals_total",
            dimensions: [("kind", kind?.rawValue ?? "unknown"), ("reason", reason)]
        )
        .increment()
    }
}
