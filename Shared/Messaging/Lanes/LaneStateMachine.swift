/// The state of one lane's writer: which numbers are committed, and whether that is known.
///
/// A lane is serial: at most one transaction is under way. Pure; `Lane` runs what it answers.
package struct LaneStateMachine: Sendable {
    /// A lane as its row says.
    package struct Position: Equatable, Sendable {
        package var epoch: Int64
        /// The lane's count of transactions, which the next one must find in the row.
        package var commits: Int64
        package var numbers: LaneNumbers

        package init(epoch: Int64, commits: Int64, numbers: LaneNumbers) {
            self.epoch = epoch
            self.commits = commits
            self.numbers = numbers
        }
    }

    private enum State {
        /// There is no lane yet, or it was closed by another process.
        case closed
        case idle(Position)
        case writing(Position)
        /// A COMMIT was sent and its answer is lost: `pending` are the numbers if it has succeeded.
        case unsettled(Position, pending: LaneNumbers)
    }

    private var state: State = .closed

    package init() {}

    /// What must be done before a transaction can begin.
    package enum BeginAction: Equatable, Sendable {
        case open
        case settle(Position)
        case begin(Position)
    }

    /// A transaction is wanted.
    package mutating func transactionWanted() -> BeginAction {
        switch state {
        case .closed:
            return .open
        case .idle(let position):
            state = .writing(position)
            return .begin(position)
        case .unsettled(let position, _):
            return .settle(position)
        case .writing:
            preconditionFailure("a lane has one transaction at a time")
        }
    }

    /// A fresh row was made for the lane.
    package mutating func opened(epoch: Int64) {
        state = .idle(Position(epoch: epoch, commits: 0, numbers: .zero))
    }

    /// The transaction under way was committed with these last numbers.
    package mutating func committed(_ numbers: LaneNumbers) {
        guard case .writing(let position) = state else {
            preconditionFailure("no transaction is under way")
        }
        state = .idle(Position(epoch: position.epoch, commits: position.commits + 1, numbers: numbers))
    }

    /// The transaction under way was rolled back; its numbers are taken again.
    package mutating func rolledBack() {
        guard case .writing(let position) = state else {
            preconditionFailure("no transaction is under way")
        }
        state = .idle(position)
    }

    /// The connection was lost after COMMIT was sent.
    package mutating func outcomeLost(pending: LaneNumbers) {
        guard case .writing(let position) = state else {
            preconditionFailure("no transaction is under way")
        }
        state = .unsettled(position, pending: pending)
    }

    /// The lane was closed by another process; the next transaction opens a new one.
    package mutating func fencedOff() {
        state = .closed
    }

    /// What the row says of a transaction whose outcome was lost.
    package enum Settlement: Equatable, Sendable {
        case committed
        case rolledBack
        /// The row is not as this process has left it; the lane must not be used again.
        case foreign
    }

    /// The number that settling moves the count to, so that the lost transaction cannot commit any more.
    package static func fencedCount(after commits: Int64) -> Int64 {
        commits + 2
    }

    /// The lane's row was read after its lost transaction was fenced.
    ///
    /// - Parameters:
    ///   - commits: The count in the row: one more than expected if the transaction was committed, two more if settling
    ///     has fenced it.
    ///   - isClosed: Whether another process has closed the lane; its last transaction is settled all the same.
    /// - Returns: What became of the transaction.
    package mutating func settled(commits: Int64, isClosed: Bool) -> Settlement {
        guard case .unsettled(let position, let pending) = state else {
            preconditionFailure("nothing is to be settled")
        }
        let settlement: Settlement
        var next = position
        next.commits = commits
        if commits == position.commits + 1 {
            next.numbers = pending
            settlement = .committed
        } else if commits == Self.fencedCount(after: position.commits) || (isClosed && commits == position.commits) {
            settlement = .rolledBack
        } else {
            settlement = .foreign
        }
        state = isClosed || settlement == .foreign ? .closed : .idle(next)
        return settlement
    }

    /// Where the lane stands, without its numbers.
    package enum Phase: Equatable, Sendable {
        case closed
        case idle
        case writing
        case unsettled
    }

    /// Where the lane stands.
    package var phase: Phase {
        switch state {
        case .closed: .closed
        case .idle: .idle
        case .writing: .writing
        case .unsettled: .unsettled
        }
    }

    /// The last numbers known to be committed.
    package var numbers: LaneNumbers {
        switch state {
        case .closed: .zero
        case .idle(let position), .writing(let position), .unsettled(let position, _): position.numbers
        }
    }

    /// The epoch of the lane, if one is open.
    package var epoch: Int64? {
        switch state {
        case .closed: nil
        case .idle(let position), .writing(let position), .unsettled(let position, _): position.epoch
        }
    }
}
