/// How much the intake takes on.
package struct IntakeLimits: Sendable {
    /// How many transactions may be under way at once.
    package var lanes: Int
    /// How many signals may wait for a transaction.
    package var waiting: Int
    /// How long a signal may wait for its commit.
    package var patience: Duration
    /// How many signals a second each tenant may send to this replica; 0 for no limit.
    package var signalsPerSecond = 0

    package init(lanes: Int = 2, waiting: Int = 20_000, patience: Duration = .seconds(10)) {
        self.lanes = lanes
        self.waiting = waiting
        self.patience = patience
    }
}
