/// What went wrong with the database, and whether trying again can help.
package struct PostgresError: Error, Sendable {
    /// What kind of failure it was.
    package let code: Code
    /// A sentence for operators; it may name tables and values, so it never goes to a client of the system.
    package var message: String
    /// The server's five-character code, where the server said anything.
    package var sqlState: String?
    /// The constraint that was violated, where the server named one.
    package var constraint: String?
    /// The position of the failing statement within its pipeline.
    package var statementIndex: Int?
    /// The error behind this one.
    package var cause: (any Error)?

    /// The routine inside the server that raised the error; it tells apart errors that share a code.
    var routine: String?

    package init(
        _ code: Code,
        _ message: String,
        sqlState: String? = nil,
        constraint: String? = nil,
        statementIndex: Int? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.constraint = constraint
        self.statementIndex = statementIndex
        self.cause = cause
    }

    /// Whether the same work, done again from its start, may succeed.
    ///
    /// Never true for ``Code/commitOutcomeUnknown``: what was sent may stand, so the caller must look before it repeats.
    package var isRetryable: Bool {
        guard let sqlState else { return code.isRetryable }
        guard code == .server else { return code.isRetryable }
        return Self.retryableStates.contains(sqlState) || sqlState.hasPrefix("08") || isStaleStatement || isReadOnly
    }

    /// Whether the server ran out of disk, memory or connections (class 53).
    package var isResourceExhausted: Bool {
        sqlState?.hasPrefix("53") ?? false
    }

    /// Whether a unique key was violated (23505); ``constraint`` names it.
    package var isUniqueViolation: Bool {
        sqlState == "23505"
    }

    /// Whether a write met a server that only reads (25006), as an old primary does after a failover.
    package var isReadOnly: Bool {
        sqlState == "25006"
    }

    /// Whether a cached prepared statement was gone or out of date.
    var isStaleStatement: Bool {
        sqlState == "26000" || (sqlState == "0A000" && routine == "RevalidateCachedQuery")
    }

    private static let retryableStates: Set<String> = ["40001", "40P01", "55P03", "57P01", "57P02", "57P03"]
}

extension PostgresError {
    /// A kind of failure; new ones may be added.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case server
            case connectionLost
            case connectionFailed
            case commitOutcomeUnknown
            case transactionAborted
            case transactionFinished
            case poolExhausted
            case deadlineExceeded
            case cancelled
            case decoding
            case encoding
            case resultTooLarge
            case unsupported
            case configuration
            case tls
            case shutdown
            case system
        }

        private let kind: Kind

        private init(_ kind: Kind) {
            self.kind = kind
        }

        /// The server refused a statement; its SQLSTATE says why.
        package static let server = Code(.server)
        /// The connection broke, and nothing of the work was committed.
        package static let connectionLost = Code(.connectionLost)
        /// No connection could be made.
        package static let connectionFailed = Code(.connectionFailed)
        /// A commit was sent and its answer was lost, or the synchronous standby has not confirmed it: the work may stand
        /// or not.
        package static let commitOutcomeUnknown = Code(.commitOutcomeUnknown)
        /// The transaction had failed before, so its commit became a rollback.
        package static let transactionAborted = Code(.transactionAborted)
        /// The transaction or the lease of the connection was over already.
        package static let transactionFinished = Code(.transactionFinished)
        /// No connection became free within the wait limit, or too many callers were waiting.
        package static let poolExhausted = Code(.poolExhausted)
        /// The caller's deadline passed; the server was told to stop and nothing was committed.
        package static let deadlineExceeded = Code(.deadlineExceeded)
        /// The caller's task was cancelled; the server was told to stop and nothing was committed.
        package static let cancelled = Code(.cancelled)
        /// A column was not of the asked type.
        package static let decoding = Code(.decoding)
        /// A statement could not be sent as it is.
        package static let encoding = Code(.encoding)
        /// A result grew over the configured limit.
        package static let resultTooLarge = Code(.resultTooLarge)
        /// The statement needs a protocol feature that this client does not speak, such as COPY.
        package static let unsupported = Code(.unsupported)
        /// The configuration is not usable.
        package static let configuration = Code(.configuration)
        /// The server's certificate, or TLS itself, was refused.
        package static let tls = Code(.tls)
        /// The client is shut down.
        package static let shutdown = Code(.shutdown)
        /// The operating system refused a thread or a descriptor.
        package static let system = Code(.system)

        package var description: String {
            kind.rawValue
        }

        /// Whether failures of this kind pass by themselves; those of the server also depend on their SQLSTATE.
        var isRetryable: Bool {
            switch kind {
            case .connectionLost, .connectionFailed, .poolExhausted, .system: true
            case .server, .commitOutcomeUnknown, .transactionAborted, .transactionFinished, .deadlineExceeded,
                .cancelled, .decoding, .encoding, .resultTooLarge, .unsupported, .configuration, .tls, .shutdown:
                false
            }
        }
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        var text = "\(code): \(message)"
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        if let statementIndex { text += " [statement \(statementIndex)]" }
        if let cause { text += "; because of \(cause)" }
        return text
    }
}
