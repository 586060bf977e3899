import Domain
import FoundationEssentials

/// Entries were to be appended for whose week, or for whose time of arrival, there is no partition.
struct UnplacedEntries: Error {
    /// The ids of entries, one for each of their days.
    let ids: [UUID]

    init(_ ids: [UUID]) {
        var days: [UInt64: UUID] = [:]
        for id in ids { days[(UUIDv7.milliseconds(of: id) ?? 0) / 86_400_000] = id }
        self.ids = Array(days.values)
    }
}

/// Partitions without which entries cannot be appended, and which cannot be made.
struct MissingWeeks: Sendable, Equatable {
    /// A week of one of the log's tables.
    struct Week: Sendable, Equatable {
        /// `entries` or `segments`.
        let table: String
        /// Its first day, `YYYY-MM-DD`.
        let monday: String
    }

    /// Entries that wait for them.
    let ids: [UUID]
    /// At least one.
    let weeks: [Week]
    /// Why they cannot be made.
    let reason: String

    /// What is wrong and what to do, for operators.
    var sentence: String {
        let names = weeks.prefix(3).map { "audit.\($0.table)_\($0.monday.filter { $0 != "-" })" }
        let more = weeks.count > 3 ? " and \(weeks.count - 3) more" : ""
        let calls = weeks.prefix(3).map { "SELECT audit.add_week('\($0.table)', '\($0.monday)');" }
        return
            "Nothing can be appended to the log: the partition \(names.joined(separator: ", "))\(more) is missing and "
            + "cannot be made (\(reason)). Set the clock right if it is wrong, the database's where it is one of "
            + "audit.segments and that of the entries' service else; or make the partition as the database's owner: "
            + calls.joined(separator: " ")
    }
}
