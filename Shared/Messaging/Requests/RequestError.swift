package import Contracts

/// Why a request has no reply.
package struct RequestError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What happened.
    package enum Code: String, Sendable {
        /// Nobody answers such requests at present, or the broker cannot be reached. The request was not carried out.
        case unavailable
        /// No reply came before the deadline. The request may have been carried out.
        case timedOut
        /// The caller's task was cancelled. The request may have been carried out.
        case cancelled
        /// A header of the request is not what it must be.
        case invalid
        /// The broker refuses this service the request; no repetition mends it.
        case refused
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same request can simply be made again.
    package var isRetryable: Bool {
        switch code {
        case .unavailable, .timedOut: true
        case .cancelled, .invalid, .refused: false
        }
    }

    /// What a client is told.
    package var problem: Problem {
        switch code {
        case .unavailable, .cancelled: Problem(.unavailable)
        case .timedOut: Problem(.timeout)
        case .invalid: Problem(.invalidRequest)
        case .refused: Problem(.internalError)
        }
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
