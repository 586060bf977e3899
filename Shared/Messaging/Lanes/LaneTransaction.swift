package import Contracts
package import Domain
package import PostgreSQL

/// One transaction of a lane: the database's transaction, and what others are to be told once it is committed.
///
/// It is used by the one task that runs the body of `LaneGroup.transaction`, and by nothing afterwards.
package final class LaneTransaction {
    /// The transaction: what is executed on it is part of the lane's transaction.
    package let database: PostgresTransaction
    /// The schema of the service.
    package let schema: String
    /// The lane's epoch, known before the commit, so that rows can name it.
    package let epoch: Int64
    /// The lane's name in the audit log: `service/replica/lane`.
    package let producer: String

    private(set) var lastStatements: [PostgresStatement] = []
    private var signalGroups: [(tenant: String, type: String, schemaVersion: Int, signals: [AcceptedSignal])] = []
    private var auditGroups: [(tenant: String, drafts: [AuditDraft])] = []
    private var commands: [CommandDraft] = []

    init(database: PostgresTransaction, schema: String, epoch: Int64, producer: String) {
        self.database = database
        self.schema = schema
        self.epoch = epoch
        self.producer = producer
    }

    /// Statements for the last round trip, which they share with the outbox, the lane's advance and COMMIT.
    package func enqueue(_ statements: [PostgresStatement]) {
        lastStatements += statements
    }

    /// Publishes accepted signals of one tenant and type after the commit.
    ///
    /// - Parameters:
    ///   - signals: The signals.
    ///   - tenant: Whose they are.
    ///   - type: The type of all of them.
    ///   - schemaVersion: The version of the contract; 2 for aimed signals.
    package func publish(signals: [AcceptedSignal], tenant: Tenant, type: String, schemaVersion: Int = 1) {
        let group = signalGroups.firstIndex { group in
            group.tenant == tenant.key && group.type == type && group.schemaVersion == schemaVersion
        }
        if let group {
            signalGroups[group].signals += signals
        } else {
            signalGroups.append((tenant.key, type, schemaVersion, signals))
        }
    }

    /// Leaves an audit entry, numbered at the commit: of a run, or of a lane.
    ///
    /// The entries of changes that somebody asks for are named by their ``Change``. What is large or personal goes to the
    /// audit-writer by itself, and the entry names it.
    package func audit(_ draft: AuditDraft) {
        let (entry, bodies) = draft.keepingApart()
        append(entry)
        for body in bodies {
            command(
                CommandDraft(
                    service: "audit",
                    name: "keep",
                    tenant: draft.tenant,
                    type: ContractType.auditKeep,
                    body: AuditKeepV1(body).body
                )
            )
        }
    }

    /// Leaves the entries of a change, before those of what it has led to, such as the end of a run.
    func audit(change drafts: [AuditDraft]) {
        guard !drafts.isEmpty else {
            return
        }
        let led = auditGroups.flatMap(\.drafts)
        auditGroups = []
        for draft in drafts { audit(draft) }
        for draft in led { append(draft) }
    }

    private func append(_ draft: AuditDraft) {
        if let index = auditGroups.firstIndex(where: { $0.tenant == draft.tenant }) {
            auditGroups[index].drafts.append(draft)
        } else {
            auditGroups.append((draft.tenant, [draft]))
        }
    }

    /// Sends a command after the commit.
    package func command(_ draft: CommandDraft) {
        commands.append(draft)
    }

    /// Numbers and packs everything; the lane calls it once, right before the commit.
    func pack(into packer: inout OutboxPacker) {
        for group in signalGroups {
            packer.pack(
                signals: group.signals,
                tenant: group.tenant,
                type: group.type,
                schemaVersion: group.schemaVersion
            )
        }
        for command in commands {
            packer.pack(command: command)
        }
        for group in auditGroups {
            packer.pack(audit: group.drafts, tenant: group.tenant)
        }
    }
}
