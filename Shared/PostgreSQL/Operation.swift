/// In what state an operation left its session.
enum SessionStatus: Hashable, Sendable {
    case idle
    case inTransaction
    /// In a transaction that can only be rolled back.
    case failedTransaction
    /// The operation was never sent.
    case unchanged
    /// The connection must not be used again.
    case broken
}

/// How an operation ended.
struct OperationOutcome: Sendable {
    var result: Result<[PostgresRows], PostgresError>
    var status: SessionStatus
}

/// What goes to the server in one piece: statements with one sync point behind them.
final class Operation: Sendable {
    enum Content: Sendable {
        case statements([PostgresStatement])
        /// Several commands in one text, outside pipeline mode.
        case script(String)
    }

    let id: UInt64
    /// A command that goes ahead of the statements, such as `BEGIN`.
    let prologue: String?
    let content: Content
    /// Whether a COMMIT goes behind the statements.
    let commits: Bool
    let commitPoint: PipelineStateMachine.CommitPoint
    /// Whether a refusal to write is what the caller asked for.
    let isReadOnly: Bool
    let deadline: ContinuousClock.Instant?
    let outcome = OneShot<OperationOutcome>()

    init(
        id: UInt64,
        prologue: String? = nil,
        content: Content,
        commits: Bool = false,
        commitPoint: PipelineStateMachine.CommitPoint,
        isReadOnly: Bool = false,
        deadline: ContinuousClock.Instant?
    ) {
        self.id = id
        self.prologue = prologue
        self.content = content
        self.commits = commits
        self.commitPoint = commitPoint
        self.isReadOnly = isReadOnly
        self.deadline = deadline
    }

    func resolve(_ result: Result<[PostgresRows], PostgresError>, _ status: SessionStatus) {
        outcome.resolve(OperationOutcome(result: result, status: status))
    }
}
