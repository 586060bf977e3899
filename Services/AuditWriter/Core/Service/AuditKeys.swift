import Checkpoints
import MerkleLog
package import ServiceRuntime

/// The audit-writer's own settings.
package enum AuditKeys {
    /// The file of the keys that the log is signed with.
    package static let keyFile = ConfigurationKey<String>.path(
        "BATUTA_AUDIT_KEY_FILE",
        help: "the file of the keys that the audit log is signed with; every replica needs the same"
    )

    /// Where this replica keeps every checkpoint that it has signed or seen.
    package static let stateFolder = ConfigurationKey<String>.path(
        "BATUTA_AUDIT_STATE_DIR",
        help: "a folder of this replica's own, on a disk that outlives the database's, for the checkpoints it has seen"
    )

    /// The least time between two checkpoints.
    package static let checkpointInterval = ConfigurationKey<Duration>.duration(
        "BATUTA_AUDIT_CHECKPOINT_INTERVAL",
        in: .milliseconds(50) ... .seconds(10),
        default: "500ms",
        help: "the least time between two checkpoints of a log that grows"
    )

    /// How long a log that does not grow goes without a new signature.
    package static let idleInterval = ConfigurationKey<Duration>.duration(
        "BATUTA_AUDIT_IDLE_CHECKPOINT",
        in: .seconds(5) ... .seconds(86_400),
        default: "10m",
        help: "how long a log that does not grow goes without a new signature"
    )

    /// The witnesses whose signatures are shown with checkpoints.
    package static let witnessKeys = ConfigurationKey<[String]>.list(
        "BATUTA_AUDIT_WITNESS_KEYS",
        of: "keys of witnesses, as `batuta audit key show --witness` prints them,",
        default: [],
        help: "whose signatures are taken and shown with checkpoints; 8 at most"
    )

    /// All of them.
    package static let all: [any ConfigurationDeclaration] = [
        keyFile, stateFolder, checkpointInterval, idleInterval, witnessKeys,
    ]

    /// The keys of witnesses, read.
    ///
    /// - Throws: `CheckpointError` naming the one that is none.
    static func witnesses(_ configuration: ServiceConfiguration) throws -> [NoteVerifierKey] {
        let texts = configuration[witnessKeys]
        guard texts.count <= 8 else {
            throw CheckpointError(.keyFile, "BATUTA_AUDIT_WITNESS_KEYS names more than 8 keys")
        }
        return try texts.map { text in
            guard let key = try? NoteVerifierKey(parsing: text), key.kind == .cosignature else {
                throw CheckpointError(
                    .keyFile,
                    "BATUTA_AUDIT_WITNESS_KEYS holds \(text), which is no key of a witness; "
                        + "`batuta audit key show --witness` prints one"
                )
            }
            return key
        }
    }

    static func schedule(_ configuration: ServiceConfiguration) -> CheckpointKeeper.Schedule {
        CheckpointKeeper.Schedule(
            interval: configuration[checkpointInterval],
            idle: configuration[idleInterval],
            grace: configuration[checkpointInterval] + .seconds(3)
        )
    }
}
