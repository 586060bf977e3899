import Checkpoints
import Contracts

extension CheckpointRepository {
    /// The newest checkpoint, for a request that cannot be answered without one.
    ///
    /// - Throws: `Problem` with code `inFlight` while the log has none.
    func required(deadline: ContinuousClock.Instant) async throws -> SignedCheckpoint {
        guard let newest = try await outlook(deadline: deadline).newest else {
            throw Problem(
                .inFlight,
                "The log has no checkpoint yet; it has one soon after its first entry.",
                detailES: "El registro aún no tiene un punto de control; lo tendrá poco después de su primera entrada."
            )
        }
        return newest
    }
}
