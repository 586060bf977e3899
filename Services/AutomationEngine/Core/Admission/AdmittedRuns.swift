import Domain
import FoundationEssentials

/// What became of the matches of a batch that were to start runs.
struct AdmittedRuns: Sendable {
    /// The runs that have begun.
    var begun: [(machine: RunMachine, next: RunMachine.Next)] = []
    /// All new runs, as they are stored.
    var updates: [RunUpdate] = []
    /// A run that is canceled for a newer one.
    struct Superseded: Sendable {
        var update: RunUpdate
        /// The status that it had.
        var before: RunStatus
        var newer: UUID
        /// Whether it was stored before this batch.
        var isStored: Bool
    }

    /// Runs that are canceled for new ones: stored before, or new themselves.
    var superseded: [Superseded] = []
    /// The matches that start no run.
    var refusals: [AdmissionRefusal] = []
    /// Whether the batch may have brought what steps of other runs wait for.
    var wakesOthers = false
    /// What is stored of all that; nil where there is nothing.
    var ledger: AdmissionLedger?
}
