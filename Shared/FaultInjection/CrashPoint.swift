/// A named place in the durable work where a fault test may kill the process.
///
/// Each point stands between two effects whose order the design relies on: a process that dies there may cost
/// duplicates, never a loss.
package enum CrashPoint: String, Sendable, CaseIterable {
    /// The database transaction is committed; its outbox rows are not published yet.
    case afterCommitBeforePublish = "after_commit_before_publish"
    /// The broker has confirmed the publication; the outbox watermark has not moved yet.
    case afterPublishBeforeWatermark = "after_publish_before_watermark"
    /// A message was delivered; the transaction that handles it is not committed yet.
    case afterDeliveryBeforeCommit = "after_delivery_before_commit"
    /// The transaction that handled a message is committed; the message is not acknowledged yet.
    case afterCommitBeforeAck = "after_commit_before_ack"
    /// The audit writer is between taking the tree's lock and committing the new leaves.
    case inAuditAppend = "in_audit_append"
    /// The log's head is locked and a checkpoint of it is signed; it is kept nowhere yet.
    case beforeCheckpointIsKept = "before_checkpoint_is_kept"
    /// A signed checkpoint is durable in the journal; the database does not hold it yet.
    case afterCheckpointIsKept = "after_checkpoint_is_kept"
    /// An attempt is recorded; its effect has not begun.
    case beforeEffect = "before_effect"
    /// An attempt's effect has taken place; its outcome is not recorded yet.
    case afterEffectBeforeRecord = "after_effect_before_record"
    /// Runs are claimed that others have left; nothing of them is done yet.
    case duringTakeover = "during_takeover"

    /// The number that stands for the point in the armed word; zero means that none is armed.
    var number: UInt8 {
        switch self {
        case .afterCommitBeforePublish: 1
        case .afterPublishBeforeWatermark: 2
        case .afterDeliveryBeforeCommit: 3
        case .afterCommitBeforeAck: 4
        case .inAuditAppend: 5
        case .beforeEffect: 6
        case .afterEffectBeforeRecord: 7
        case .duringTakeover: 8
        case .beforeCheckpointIsKept: 9
        case .afterCheckpointIsKept: 10
        }
    }
}
