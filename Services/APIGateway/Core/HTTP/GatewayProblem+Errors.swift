import Contracts
import Messaging
import Persistence

extension GatewayProblem {
    /// What a client is told of an error of ours: never more than that something is away or broken.
    package init(_ error: any Error) {
        self =
            switch error {
            case let problem as GatewayProblem: problem
            case let problem as Problem: GatewayProblem(problem)
            case let error as PostgresError: Self.problem(of: error)
            case let error as LaneError: Self.problem(of: error)
            case let error as RequestError: GatewayProblem(error.problem)
            default: GatewayProblem(.internalError)
            }
    }

    private static func problem(of error: PostgresError) -> GatewayProblem {
        if error.isResourceExhausted {
            return .storageExhausted
        }
        if error.code == .shutdown {
            return .draining
        }
        let isAway = error.isRetryable || [.commitOutcomeUnknown, .deadlineExceeded, .cancelled].contains(error.code)
        return isAway ? .databaseAway : GatewayProblem(.internalError)
    }

    private static func problem(of error: LaneError) -> GatewayProblem {
        switch error.code {
        case .tooManyWaiters: .overloaded
        case .draining: .draining
        case .fencedOff, .foreignRow: .databaseAway
        }
    }
}
