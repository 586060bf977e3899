/// A failure of the broker client.
package struct RabbitMQError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is; whether trying again can help is a property of the code.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Base: String, Sendable {
            case connectFailed
            case authenticationFailed
            case accessRefused
            case notFound
            case preconditionFailed
            case resourceLocked
            case connectionLost
            case consumerCancelled
            case blocked
            case nacked
            case confirmTimeout
            case deadlineExceeded
            case cancelled
            case stopped
            case tls
            case configuration
            case invalidMessage
            case protocolViolation
        }

        private let base: Base

        private init(_ base: Base) { self.base = base }

        /// No broker could be reached, or none answered in time.
        package static let connectFailed = Self(.connectFailed)
        /// User or password were refused.
        package static let authenticationFailed = Self(.authenticationFailed)
        /// The user lacks the right (403), or may not enter the virtual host (530).
        package static let accessRefused = Self(.accessRefused)
        /// An exchange or a queue is missing (404); it may yet be declared.
        package static let notFound = Self(.notFound)
        /// A declaration differs from what exists, or the broker refuses what a message claims (406).
        package static let preconditionFailed = Self(.preconditionFailed)
        /// Another connection holds the queue exclusively (405), for instance our own previous one.
        package static let resourceLocked = Self(.resourceLocked)
        /// The connection ended; what was in flight is unknown.
        package static let connectionLost = Self(.connectionLost)
        /// The broker cancelled the consumer, usually because its queue is gone.
        package static let consumerCancelled = Self(.consumerCancelled)
        /// The broker takes no messages, because its memory or disk alarm is raised.
        package static let blocked = Self(.blocked)
        /// The broker refused responsibility for a message.
        package static let nacked = Self(.nacked)
        /// The broker confirmed nothing in time.
        package static let confirmTimeout = Self(.confirmTimeout)
        /// The caller's deadline passed; the message may have been published.
        package static let deadlineExceeded = Self(.deadlineExceeded)
        /// The caller's task was cancelled; the message may have been published.
        package static let cancelled = Self(.cancelled)
        /// The client is shutting down or has stopped.
        package static let stopped = Self(.stopped)
        /// The peer could not be verified, or the TLS handshake failed.
        package static let tls = Self(.tls)
        /// A setting is wrong.
        package static let configuration = Self(.configuration)
        /// A message breaks a limit of the protocol.
        package static let invalidMessage = Self(.invalidMessage)
        /// The peer sent what the protocol does not allow there.
        package static let protocolViolation = Self(.protocolViolation)

        /// Whether the same call can succeed later without anybody changing code, settings or permissions.
        package var isRetryable: Bool {
            switch base {
            case .connectFailed, .notFound, .resourceLocked, .connectionLost, .consumerCancelled, .blocked, .nacked,
                .confirmTimeout, .deadlineExceeded, .tls, .protocolViolation:
                true
            case .authenticationFailed, .accessRefused, .preconditionFailed, .cancelled, .stopped, .configuration,
                .invalidMessage:
                false
            }
        }

        package var description: String { base.rawValue }
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var isRetryable: Bool { code.isRetryable }

    package var description: String { "\(code): \(message)" }
}

extension RabbitMQError {
    /// Maps an AMQP reply code, as it stands in a channel or connection close.
    init(replyCode: UInt16, text: String) {
        let code: Code =
            switch replyCode {
            case 403, 530: .accessRefused
            case 404: .notFound
            case 405: .resourceLocked
            case 406: .preconditionFailed
            case 320, 541: .connectionLost
            default: .protocolViolation
            }
        self.init(code, "\(replyCode) \(text)")
    }
}
