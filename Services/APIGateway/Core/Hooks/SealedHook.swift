import Persistence

/// A hook with what opens its webhooks, sealed.
struct SealedHook: Sendable {
    var hook: Hook
    var secret: [UInt8]
    var previousSecret: [UInt8]?

    static let columns = "\(Hook.columns), secret, previous_secret"

    init(hook: Hook, secret: [UInt8], previousSecret: [UInt8]? = nil) {
        self.hook = hook
        self.secret = secret
        self.previousSecret = previousSecret
    }

    /// Reads a row that has ``columns``.
    init(row: PostgresRow) throws {
        hook = try Hook(row: row)
        secret = try row.decode(Hook.columnCount)
        previousSecret = try row.decode(Hook.columnCount + 1)
    }
}
