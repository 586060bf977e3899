import Persistence

/// A weekly partition, and how old it is.
struct WeeklyPartition: Sendable {
    /// The partitioned table, without its schema.
    var table: String
    /// The Monday that it begins with, as in `2026-01-05`.
    var week: String
    /// How many days lie between that Monday and today; negative for a week to come.
    var age: Int

    /// Whether all of it is older than so many days.
    func isOlder(than days: Int) -> Bool { age >= days + 7 }
}

/// What became of a partition that was old enough.
enum PartitionRetirement: String, Sendable {
    case dropped
    /// By the database's clock it is not old enough yet.
    case young
    case absent
    /// Something that is not finished needs it.
    case needed
    /// Another replica is at it.
    case busy
    /// A transaction uses the table, and was not waited for.
    case locked

    /// Reads what the database says.
    init(answer: String) throws {
        guard let retirement = PartitionRetirement(rawValue: answer) else {
            throw PostgresError(.decoding, "retire_partition answers \(answer)")
        }
        self = retirement
    }
}
