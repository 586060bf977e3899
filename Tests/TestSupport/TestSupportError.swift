/// What went wrong in the tests' own tools, as opposed to what is tested.
package struct TestSupportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package enum Code: Hashable, Sendable {
        /// The servers' addresses are not in the environment.
        case noServers
        /// A program could not be found or started.
        case notStarted
        /// A program ended with a failure.
        case commandFailed
        /// A condition did not come true before its deadline.
        case deadlineExceeded
        /// No free port or no room for files was found.
        case noResources
    }

    /// The kind of failure.
    package let code: Code

    /// What happened, in sentences.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
