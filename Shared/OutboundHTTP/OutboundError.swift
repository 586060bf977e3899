/// Why a request to the outside has no answer, and whether it may have had an effect all the same.
///
/// The message is for a person who writes automations. It never holds a header's value, a body, or the part of a URL
/// behind its port.
package struct OutboundError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure.
    package let code: Code

    /// Whether the effect certainly did not happen.
    package let outcome: Outcome

    /// One or more sentences for people.
    package let message: String

    /// The status that a server had already answered when the failure came, where there was one.
    ///
    /// It is set when the body could not be read, and when a redirect could not be followed.
    package let status: Int?

    package init(_ code: Code, _ outcome: Outcome, _ message: String, status: Int? = nil) {
        self.code = code
        self.outcome = outcome
        self.message = message
        self.status = status
    }

    /// Whether the same request, made again later, may fare better.
    ///
    /// With an outcome of ``Outcome/unknown`` only a request that may be repeated should be.
    package var isRetryable: Bool { code.isRetryable }

    package var description: String { "\(code): \(message)" }

    /// The same failure of a later hop, after a first server answered with a redirect.
    ///
    /// That server may have done what it was asked, so nothing is certain any more.
    func afterRedirect(status: Int) -> OutboundError {
        let text = "After an answer \(status) that redirected elsewhere: \(message)"
        return OutboundError(code, .unknown, text, status: self.status ?? status)
    }
}

extension OutboundError {
    /// What is known of the effect.
    package enum Outcome: String, Sendable, Hashable {
        /// No byte of the request left this process: its effect did not happen.
        case notSent = "not_sent"
        /// The request may have arrived: its effect may have happened.
        case unknown
    }

    /// The stable name of a kind of failure; new ones may be added.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The URL is none that this client takes.
        package static let invalidURL = Code(rawValue: "invalid_url")
        /// A header, or a limit, of the request is none that this client takes.
        package static let invalidRequest = Code(rawValue: "invalid_request")
        /// The allow list or the file of certificates cannot be used.
        package static let invalidConfiguration = Code(rawValue: "invalid_configuration")
        /// The guard refuses an address of the host.
        package static let addressRefused = Code(rawValue: "address_refused")
        /// The guard refuses the port.
        package static let portRefused = Code(rawValue: "port_refused")
        /// A redirect leads nowhere that it may.
        package static let redirectRefused = Code(rawValue: "redirect_refused")
        /// There were more redirects than the request allows.
        package static let tooManyRedirects = Code(rawValue: "too_many_redirects")
        /// No such name, or a name without an address.
        package static let nameNotFound = Code(rawValue: "name_not_found")
        /// The name could not be resolved now.
        package static let resolutionFailed = Code(rawValue: "resolution_failed")
        /// No connection was made.
        package static let connectionFailed = Code(rawValue: "connection_failed")
        /// The certificate, or TLS itself, was refused.
        package static let tlsFailed = Code(rawValue: "tls_failed")
        /// Too much is under way already.
        package static let busy = Code(rawValue: "busy")
        /// The deadline passed.
        package static let timedOut = Code(rawValue: "timed_out")
        /// The connection broke after the request was sent.
        package static let connectionLost = Code(rawValue: "connection_lost")
        /// The answer is no HTTP.
        package static let invalidResponse = Code(rawValue: "invalid_response")
        /// The answer is larger than the request allows.
        package static let responseTooLarge = Code(rawValue: "response_too_large")
        /// The caller's task was cancelled.
        package static let cancelled = Code(rawValue: "cancelled")
        /// The client is shut down.
        package static let shutDown = Code(rawValue: "shut_down")

        package var description: String { rawValue }

        /// Whether failures of this kind may pass by themselves.
        package var isRetryable: Bool { Self.retryable.contains(self) }

        private static let retryable: Set<Code> = [
            .nameNotFound, .resolutionFailed, .connectionFailed, .busy, .timedOut, .connectionLost, .shutDown,
        ]
    }
}
