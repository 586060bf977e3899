/// Why a command could not do its work.
package struct CommandLineError: Error, Sendable {
    /// What kind of failure it was.
    package let code: Code
    /// A sentence for the one who gave the command.
    package let message: String
    /// Whether the same command, given again, may succeed.
    package var isRetryable: Bool { code.isRetryable }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// A kind of failure; new ones may be added.
    package struct Code: Hashable, Sendable {
        private let name: String
        let isRetryable: Bool

        private init(_ name: String, isRetryable: Bool = false) {
            self.name = name
            self.isRetryable = isRetryable
        }

        /// A file or folder is missing, unreadable or not what it should be.
        package static let file = Code("file")
        /// The passwords file is not as it must be.
        package static let passwords = Code("passwords")
        /// The gateway's answer is a refusal, or not what it should be.
        package static let answer = Code("answer")
        /// No answer came, or only that there is none now.
        package static let unreachable = Code("unreachable", isRetryable: true)
        /// The gateway, or whoever answers in its place, shows no certificate that is trusted.
        package static let untrusted = Code("untrusted")
        /// What was waited for did not happen in time.
        package static let deadline = Code("deadline", isRetryable: true)
        /// Services run that must not.
        package static let running = Code("running", isRetryable: true)
        /// The name of the audit log is not known, or another one than was given.
        package static let log = Code("log")
        /// The audit log contradicts what it has shown before.
        package static let contradiction = Code("contradiction")
        /// The operating system refuses something.
        package static let system = Code("system")
    }
}

extension CommandLineError: CustomStringConvertible {
    package var description: String { message }
}
