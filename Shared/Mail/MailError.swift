/// Why a message was not sent, or why nobody knows whether it was.
///
/// The message is for people. It never holds the password; what a relay answered stands in it, without line breaks.
package struct MailError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure.
    package let code: Code

    /// What is known of the effect.
    package let outcome: Outcome

    /// One or more sentences for people.
    package let message: String

    /// The reply of the relay that refused, where it is one.
    package let reply: SMTPReply?

    package init(_ code: Code, _ outcome: Outcome, _ message: String, reply: SMTPReply? = nil) {
        self.code = code
        self.outcome = outcome
        self.message = message
        self.reply = reply
    }

    /// A failure before anything was sent.
    init(_ code: Code, _ message: String) {
        self.init(code, .notSent, message)
    }

    /// Whether the same message, submitted again later, may fare better.
    ///
    /// With an outcome of ``Outcome/unknown`` only a message that may arrive twice should be.
    package var isRetryable: Bool { reply.map(\.isTransient) ?? Code.retryable.contains(code) }

    package var description: String { "\(code): \(message)" }
}

extension MailError {
    /// What is known of the effect.
    package enum Outcome: String, Sendable, Hashable {
        /// The relay has not taken the message: nobody gets it.
        case notSent = "not_sent"
        /// The whole message may have left, and no reply came: it may be delivered.
        case unknown
    }

    /// The stable name of a kind of failure; new ones may be added.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The relay's settings cannot be used.
        package static let invalidConfiguration = Code(rawValue: "invalid_configuration")
        /// An address is none that is sent to.
        package static let invalidAddress = Code(rawValue: "invalid_address")
        /// Another part of the message is none that can be sent.
        package static let invalidMessage = Code(rawValue: "invalid_message")
        /// The relay's name has no address.
        package static let nameNotFound = Code(rawValue: "name_not_found")
        /// No connection was made.
        package static let connectionFailed = Code(rawValue: "connection_failed")
        /// The certificate, or TLS itself, was refused, or the relay does not offer it.
        package static let tlsFailed = Code(rawValue: "tls_failed")
        /// The relay does not take user and password.
        package static let loginRefused = Code(rawValue: "login_refused")
        /// The relay refused the sender, a recipient or the message.
        package static let relayRefused = Code(rawValue: "relay_refused")
        /// The deadline passed.
        package static let timedOut = Code(rawValue: "timed_out")
        /// The connection broke.
        package static let connectionLost = Code(rawValue: "connection_lost")
        /// Too much is under way already.
        package static let busy = Code(rawValue: "busy")
        /// The caller's task was cancelled.
        package static let cancelled = Code(rawValue: "cancelled")
        /// The client is shut down.
        package static let shutDown = Code(rawValue: "shut_down")

        package var description: String { rawValue }

        /// A reply decides by itself; of the rest these may pass.
        fileprivate static let retryable: Set<Code> = [
            .nameNotFound, .connectionFailed, .tlsFailed, .timedOut, .connectionLost, .busy, .shutDown,
        ]
    }
}
