import Checkpoints
import Contracts
import Domain
import FoundationEssentials
package import JSON
import MerkleLog
package import Messaging
package import Persistence

/// Takes what witnesses add to checkpoints.
package struct CosignatureRequests: Sendable {
    private let checkpoints: CheckpointRepository

    package init(database: PostgresClient) {
        checkpoints = CheckpointRepository(database: database)
    }

    /// `audit.checkpoints.cosign`: stores the line of a witness for the checkpoint of a size.
    ///
    /// The line is verified by the key that comes with it: the log vouches for no witness, and whoever verifies has its key
    /// from elsewhere.
    package func cosign(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let root = body.root
        guard let size = root["size"]?.int64Value, size > 0,
            let key = root["key"]?.stringValue.flatMap({ try? NoteVerifierKey(parsing: $0) }), key.kind == .cosignature,
            let line = root["line"]?.stringValue, let signature = try? NoteSignature(parsing: line)
        else {
            throw Problem(.invalidRequest, "size, key (of type 0x04) and line, a line of a signature, are needed.")
        }
        guard let signed = try await checkpoints.signed(size: size, deadline: context.deadline) else {
            throw Problem(.notFound)
        }
        guard let verified = try? key.verify(signature, of: signed.note.text), let time = verified.time else {
            throw Problem(
                .invalidRequest,
                "The line is no signature of the checkpoint of this size by this key.",
                detailES: "La línea no es una firma del punto de control de este tamaño con esta clave."
            )
        }
        try await checkpoints.addCosignature(
            of: signed.checkpoint,
            witness: key.description,
            line: line,
            time: time,
            deadline: context.deadline
        )
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("size", size)
        writer.endObject()
        return Reply(status: 201, body: writer.bytes)
    }
}
