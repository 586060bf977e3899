package import Persistence

/// What a service keeps, and for how long.
package struct RetentionPolicy: Sendable {
    /// No partition is dropped earlier, whatever is configured; the database refuses it, too.
    package static let minimumDays = 30

    package let schema: ServiceSchema
    /// How many days partitions are kept beyond their own week.
    package let days: Int
    /// What is deleted row by row.
    let rows: [RowRetention]

    /// - Parameters:
    ///   - schema: The service's own.
    ///   - days: How many days are kept; never fewer than ``minimumDays``.
    ///   - rows: What is deleted row by row besides what every schema has.
    package init(_ schema: ServiceSchema, days: Int, rows: [RowRetention] = []) {
        self.schema = schema
        self.days = max(Self.minimumDays, days)
        self.rows = RowRetention.common(schema, keeping: self.days) + rows
    }

    /// Whether old partitions of a table are dropped: the audit log keeps everything.
    func drops(_ table: String) -> Bool {
        schema != .audit || table == "outbox"
    }

    /// How many days the partitions of a table are kept.
    ///
    /// A message whose consumer holds it is of no use to anybody, so that the outbox is kept for the minimum.
    func days(of table: String) -> Int {
        table == "outbox" ? Self.minimumDays : days
    }
}
