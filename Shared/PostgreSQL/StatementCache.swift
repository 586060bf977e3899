/// Which statements one session has prepared, by text and parameter types.
struct StatementCache {
    struct Key: Hashable {
        let sql: String
        let types: [PostgresType]
    }

    /// Beyond this many texts statements run unprepared: texts are constants, so more means that some are not.
    private static let capacity = 1000

    private var names: [Key: String] = [:]
    private var lastNumber = 0
    /// Whether the session may still hold statements that are no longer in here.
    private(set) var isStale = false

    func name(of key: Key) -> String? {
        names[key]
    }

    /// A name that was never used before on this session, or nil when the cache is full.
    mutating func newName() -> String? {
        guard names.count < Self.capacity else { return nil }
        lastNumber += 1
        return "b\(lastNumber)"
    }

    mutating func prepared(_ key: Key, as name: String) {
        names[key] = name
    }

    /// A statement turned out to be gone or out of date: all are prepared anew.
    mutating func invalidate() {
        names.removeAll()
        isStale = true
    }

    /// The session has been told to forget all statements.
    mutating func deallocated() {
        names.removeAll()
        isStale = false
    }
}
