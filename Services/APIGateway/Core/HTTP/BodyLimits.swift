/// How large bodies may be, in bytes.
package struct BodyLimits: Sendable {
    /// Of a signal.
    package var signal = 256 * 1_024
    /// Of any other request.
    package var request = 1_024 * 1_024

    package init() {}

    subscript(route: Route) -> Int {
        switch route {
        case .postSignal: signal
        default: request
        }
    }
}
