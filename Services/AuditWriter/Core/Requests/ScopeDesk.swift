import Checkpoints
import FoundationEssentials
import MerkleLog
import Persistence
import Synchronization

/// Works out what exports hold of a tenant, a bounded time for each request, and keeps how far it has come.
///
/// What it keeps is lost when the process ends; whoever asks again has it begun anew. Each replica comes to the same.
final class ScopeDesk: Sendable {
    private struct State {
        var shelf = ScopeShelf()
        var busy: Set<UUID> = []
    }

    private let database: PostgresClient
    private let window: Int64
    private let patience: Duration
    private let state = Mutex(State())

    init(database: PostgresClient, window: Int64, patience: Duration) {
        self.database = database
        self.window = window
        self.patience = patience
    }

    /// Goes on with an export for a while.
    ///
    /// - Parameters:
    ///   - id: The export.
    ///   - tenant: Whose entries are counted.
    ///   - checkpoint: The log that is exported.
    ///   - deadline: When nobody waits for the answer any more.
    /// - Returns: How far it has come; while another request works on the same export, where that has begun.
    /// - Throws: `PostgresError`; what was done before stays done.
    func advance(
        _ id: UUID,
        of tenant: String,
        _ checkpoint: Checkpoint,
        deadline: ContinuousClock.Instant
    ) async throws -> ScopePart {
        var (part, isOurs) = take(id, of: tenant, size: Int64(clamping: checkpoint.size))
        guard isOurs else {
            return part
        }
        defer { putBack(part, id) }
        let end = min(ContinuousClock.now + patience, deadline - .seconds(1))
        while !part.isWhole {
            let until = min(part.size, part.next + window)
            let rows = try await database.execute(
                PostgresStatement(
                    """
                    SELECT leaf_hash FROM audit.entries WHERE leaf_index >= $1 AND leaf_index < $2 AND tenant = $3
                    ORDER BY leaf_index
                    """,
                    [.int8(part.next), .int8(until), .text(tenant)],
                    isReadOnly: true
                ),
                deadline: deadline
            )
            part.append(try rows.map { try $0.decode(0) }, upTo: until)
            guard ContinuousClock.now < end else {
                break
            }
        }
        return part
    }

    /// What is known of an export, and whether the caller goes on with it.
    private func take(_ id: UUID, of tenant: String, size: Int64) -> (ScopePart, isOurs: Bool) {
        state.withLock { state in
            (state.shelf.looked(at: id, of: tenant, size: size), state.busy.insert(id).inserted)
        }
    }

    private func putBack(_ part: ScopePart, _ id: UUID) {
        state.withLock { state in
            state.busy.remove(id)
            state.shelf.advanced(part, id)
        }
    }
}
