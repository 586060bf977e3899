import Checkpoints
import Contracts
import Domain
import FoundationEssentials
package import JSON
package import MerkleLog
package import Messaging
package import Persistence

/// Takes what witnesses add to checkpoints.
package struct CosignatureRequests: Sendable {
    private let checkpoints: CheckpointRepository
    private let witnesses: [NoteVerifierKey]

    /// - Parameters:
    ///   - database: Logged in as the service.
    ///   - witnesses: Whose signatures are taken.
    package init(database: PostgresClient, witnesses: [NoteVerifierKey]) {
        self.witnesses = witnesses
        checkpoints = CheckpointRepository(database: database)
    }

    /// `audit.checkpoints.cosign`: stores the line of a witness for the checkpoint of a size.
    ///
    /// Only those of witnesses that the operator has named are taken, since whoever asks for the checkpoint is shown them.
    package func cosign(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let root = body.root
        guard let size = root["size"]?.int64Value, size > 0,
            let key = root["key"]?.stringValue.flatMap({ try? NoteVerifierKey(parsing: $0) }), key.kind == .cosignature,
            let line = root["line"]?.stringValue, let signature = try? NoteSignature(parsing: line)
        else {
            throw Problem(.invalidRequest, "size, key (of type 0x04) and line, a line of a signature, are needed.")
        }
        guard witnesses.contains(key) else {
            throw Problem(
                .forbidden,
                "The log does not know this witness; its operator names it in BATUTA_AUDIT_WITNESS_KEYS.",
                detailES: "El registro no conoce a este testigo; su operador lo nombra en BATUTA_AUDIT_WITNESS_KEYS."
            )
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
