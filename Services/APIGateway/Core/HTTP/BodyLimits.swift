import CloudEvents
import HTTPTypes

/// How large bodies may be, in bytes.
package struct BodyLimits: Sendable {
    /// Of a signal.
    package var signal = 256 * 1_024
    /// Of any other request, a batch of signals included.
    package var request = 1_024 * 1_024

    /// Of a webhook, of which a mapping may keep less than a signal's.
    package var hook = 25 * 1_024 * 1_024

    package init() {}

    /// The limit of a request's body.
    func bytes(of route: Route, _ headers: HTTPFields) -> Int {
        guard route == .postSignal, ContentMode(contentType: headers[.contentType]) != .batched else {
            return request
        }
        return signal
    }
}
