import Checkpoints
import Contracts
import Persistence

/// Gives the audit log another name after a restore, under which it goes on.
///
/// Checkpoints from after the restored moment may be with others, and are in the journals of the audit-writers. The log
/// must never contradict them, so it goes on as another one, which says so in its first entry.
struct LogSuccession: Sendable {
    let database: PostgresClient
    /// The name of the log's key as the operator gives it, which a log that was never signed does not say itself.
    let name: String?

    /// A log that ends at the restored moment.
    struct Ended: Sendable, Equatable {
        let name: String
        let signedSize: Int64
        /// The name of the log's key, where the operator has given it.
        let key: String?
    }

    /// Reads which log ends; changes nothing.
    ///
    /// - Throws: ``CommandLineError`` where its name has to be given, or is another one than what was given.
    func ended() async throws -> Ended {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT h.origin, h.signed_size,
                       EXISTS (SELECT FROM audit.checkpoints c WHERE c.origin = h.origin) OR h.signed_size > 0
                FROM audit.head h
                """,
                isReadOnly: true
            )
        )
        guard let row = rows.first else {
            throw CommandLineError(.log, "audit.head has no row; nothing was changed")
        }
        guard let origin = try row.decode(0, as: String?.self) else {
            guard let name else {
                throw CommandLineError(
                    .log,
                    "the database holds an audit log that was not signed yet at that moment, and does not say its name; "
                        + "later it may have been signed. Give the name of its key with --log, the part before the first + "
                        + "of what `batuta audit key show` prints; nothing was changed"
                )
            }
            return Ended(name: name, signedSize: 0, key: name)
        }
        // A name under which nothing was signed yet may be one that was given wrongly.
        if let name, try row.decode(2, as: Bool.self), !LogName.isLife(origin, of: name) {
            throw CommandLineError(
                .log,
                "the database holds the audit log \(origin), and --log names \(name); nothing was changed"
            )
        }
        return Ended(name: origin, signedSize: try row.decode(1), key: name)
    }

    /// Gives the log its next name.
    ///
    /// Doing it again changes the name again, which does no harm.
    ///
    /// - Parameters:
    ///   - ended: The log that ends.
    ///   - seconds: The time in seconds since 1970.
    /// - Returns: The name.
    /// - Throws: `PostgresError`; then the log has the name that it had.
    func begin(after ended: Ended, at seconds: Int) async throws -> String {
        let next =
            ended.key.map { LogName.life(of: $0, number: seconds) }
            ?? LogName.successor(of: ended.name, number: seconds)
        _ = try await database.execute(
            PostgresStatement(
                "UPDATE audit.head SET fence = fence + 1, origin = $1, signed_size = 0, signed_root = NULL",
                [.text(next)]
            )
        )
        return next
    }
}
