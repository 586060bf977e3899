import Contracts
package import PostgreSQL

extension BatchConsumer.FailureKind {
    /// The kind of an error that processing deliveries into a database ends with.
    ///
    /// Only what the server says of a statement, or what a contract says of a message, can lie in the data; anything not
    /// known is taken for a failure that passes, because a message that waits is not lost.
    package init(of error: any Error) {
        switch error {
        case is ContractError:
            self = .data
        case let error as PostgresError:
            self = error.liesInTheData ? .data : .retry
        default:
            self = .retry
        }
    }
}

extension PostgresError {
    /// Whether no partition takes a row: Postgres says so as of a `CHECK`, but names no constraint.
    package var isMissingPartition: Bool {
        sqlState == "23514" && constraint == nil
    }

    /// Whether other data would have been accepted.
    fileprivate var liesInTheData: Bool {
        switch code {
        case .encoding: true
        case .server:
            !isRetryable && !isMissingPartition
                && !Self.statesOutsideOfData.contains { sqlState?.hasPrefix($0) ?? true }
        default: false
        }
    }

    /// Classes of SQLSTATE that no other data would change.
    ///
    /// Our own guards, the session, rights and missing objects, resources, operators, the system.
    private static let statesOutsideOfData = [
        "BT", "0A", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58", "XX",
    ]
}
