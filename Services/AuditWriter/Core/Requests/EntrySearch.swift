import FoundationEssentials
import Persistence

/// The SQL that finds a page of entries, newest first.
struct EntrySearch: Sendable {
    /// Whether an index serves all that is asked for, so that no other entries are looked through.
    let isServed: Bool

    private let conditions: EntryFilter.Conditions
    /// The entries that are looked through.
    private let source: String
    private let values: [PostgresValue]
    private let window: Int

    /// - Parameters:
    ///   - filter: What the entries are narrowed to.
    ///   - tenant: Whose they are.
    ///   - position: The id that they are below.
    ///   - size: The size of the log that holds them; nil for the log as it is.
    ///   - window: How many are looked through where no index serves all that is asked for.
    init(_ filter: EntryFilter, of tenant: ReadTenant, before position: UUID, in size: Int64?, window: Int) {
        conditions = filter.conditions(from: 3, in: size, ofOneTenant: tenant != .every)
        let whose = tenant == .every ? "$1::text IS NULL" : "tenant = $1"
        source = "audit.entries WHERE \(whose) AND entry_id < $2 \(conditions.served)"
        values = [tenant.key.map { .text($0) } ?? .null, .uuid(position)] + conditions.servedValues
        isServed = conditions.others.isEmpty
        self.window = window
    }

    /// Finds so many entries at most: id, index, bytes, leaf hash.
    func page(_ limit: Int, explaining prefix: String = "") -> PostgresStatement {
        let values = values + conditions.otherValues + [.int(limit)]
        // They come in the order of an index, and no more of them than are needed.
        let entries =
            isServed
            ? source
            : """
            (SELECT * FROM \(source) ORDER BY entry_id DESC LIMIT \(window)) AS e
            WHERE true \(conditions.others)
            """
        return PostgresStatement(
            """
            \(prefix) SELECT entry_id, leaf_index, canonical, leaf_hash FROM \(entries)
            ORDER BY entry_id DESC LIMIT $\(values.count)
            """,
            values,
            isReadOnly: true
        )
    }

    /// The id of the last entry that is looked through; no row where there are not so many.
    var lastOfWindow: PostgresStatement {
        PostgresStatement(
            "SELECT entry_id FROM \(source) ORDER BY entry_id DESC OFFSET \(window - 1) LIMIT 1",
            values,
            isReadOnly: true
        )
    }
}
