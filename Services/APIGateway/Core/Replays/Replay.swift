import Contracts
import Domain
import EventPattern
import FoundationEssentials
import JSON
import Persistence

/// A tenant's accepted signals of a span, sent once more to one automation: as its row holds it.
struct Replay: Sendable, Equatable {
    /// How far it has come.
    enum Status: String, CaseIterable, Sendable {
        case running
        case succeeded
        case canceled
        case failed
    }

    /// The automation that the signals are sent to, as it was at the start.
    struct Target: Sendable, Equatable {
        var id: UUID
        var key: String
        var version: Int64
        var signalType: String
        /// The pattern, as its author wrote it.
        var filter: [UInt8]?
    }

    var id: UUID
    var tenant: Tenant
    var target: Target
    /// The first and the last millisecond of the signals' ids.
    var span: ReplaySpan
    var isDryRun: Bool
    var status = Status.running
    /// Every signal up to this id has been considered.
    var position: UUID
    /// The signals sent last.
    var page: [UUID] = []
    /// How many signals of the automation's type there were so far.
    var considered: Int64 = 0
    /// How many of them met the filter, and were sent, or would have been.
    var replayed: Int64 = 0
    /// Why it failed.
    var failure: String?
    var actor: AuditActor
    var traceparent: String
    var createdAt: Timestamp
    var finishedAt: Timestamp?

    /// A replay that begins.
    init(
        tenant: Tenant,
        target: Target,
        span: ReplaySpan,
        isDryRun: Bool,
        actor: AuditActor,
        traceparent: String,
        createdAt: Timestamp = .now()
    ) {
        id = UUIDv7.make()
        self.tenant = tenant
        self.target = target
        self.span = span
        self.isDryRun = isDryRun
        position = span.start
        self.actor = actor
        self.traceparent = traceparent
        self.createdAt = createdAt
    }

    /// What signals must be like to be sent.
    ///
    /// - Throws: `EventPatternError`, or that of the JSON, where this release cannot read the filter.
    func criterion() throws -> ReplayCriterion? {
        guard let trigger = SignalTrigger(target.signalType) else {
            return nil
        }
        let filter = try target.filter.map { try EventPattern(compiling: try JSONDocument(parsing: $0).root) }
        return ReplayCriterion(trigger: trigger, filter: filter)
    }
}

// MARK: - The row

extension Replay {
    /// The columns that `init(_:)` reads.
    static let columns = """
        replay_id, tenant, automation_id, automation_key, automation_version, signal_type, filter, from_time, until_time, \
        dry_run, status, position, page, considered, replayed, failure, actor_type, actor_id, actor_via, traceparent, \
        created_at, finished_at
        """

    init(_ row: PostgresRow) throws {
        func time(_ column: Int) throws -> Timestamp? {
            try row.decode(column, as: PostgresTimestamp?.self).map {
                Timestamp(microseconds: $0.microsecondsSinceEpoch)
            }
        }
        guard let tenant = Tenant(try row.decode(1)), let status = Status(rawValue: try row.decode(10)),
            let kind = AuditActor.Kind(rawValue: try row.decode(16)), let from = try time(7), let until = try time(8),
            let createdAt = try time(20)
        else {
            throw PostgresError(.decoding, "a replay is stored in a form that this release does not know")
        }
        id = try row.decode(0)
        self.tenant = tenant
        target = Target(
            id: try row.decode(2),
            key: try row.decode(3),
            version: try row.decode(4),
            signalType: try row.decode(5),
            filter: try row.decode(6, as: [UInt8]?.self)
        )
        span = ReplaySpan(
            from: UInt64(clamping: from.microseconds / 1_000),
            until: UInt64(clamping: until.microseconds / 1_000)
        )
        isDryRun = try row.decode(9)
        self.status = status
        position = try row.decode(11)
        page = try row.decode(12)
        considered = try row.decode(13)
        replayed = try row.decode(14)
        failure = try row.decode(15)
        actor = AuditActor(type: kind, id: try row.decode(17), via: try row.decode(18))
        traceparent = try row.decode(19)
        self.createdAt = createdAt
        finishedAt = try time(21)
    }
}

// MARK: - What others see of it

extension Replay {
    /// Writes it as clients read it.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("replay_id", id.lowercased)
        writer.member("automation_id", target.id.lowercased)
        writer.member("automation_key", target.key)
        writer.member("automation_version", target.version)
        writer.member("from", ReplaySpan.time(span.from).description)
        writer.member("until", ReplaySpan.time(span.until).description)
        writer.member("dry_run", isDryRun)
        writer.member("status", status.rawValue)
        writer.member("considered", considered)
        writer.member("replayed", replayed)
        writer.member("considered_until", ReplaySpan.time(span.considered(through: position)).description)
        writer.member("failure", failure)
        writer.member("started_by", actor.id)
        writer.member("created_at", createdAt.description)
        writer.member("finished_at", finishedAt?.description)
        writer.endObject()
    }

    /// The entry that its start leaves: what was asked for.
    func startEntry(by actor: AuditActor, requestID: String? = nil, traceID: String? = nil) throws -> AuditDraft {
        try entry(
            "replay.start",
            before: nil,
            after: auditedOrder,
            by: actor,
            requestID: requestID,
            traceID: traceID
        )
    }

    private func entry(
        _ action: String,
        before: JSONValue?,
        after: JSONValue,
        by actor: AuditActor,
        requestID: String?,
        traceID: String?
    ) throws -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: tenant.key,
            actor: actor,
            action: action,
            object: AuditObject(type: "replay", id: id.lowercased),
            before: try before.map { try .json($0) } ?? .none,
            after: try .json(after),
            requestID: requestID,
            traceID: traceID
        )
    }

    /// The entry that its end leaves: how far it had come, running before and ended after.
    func endEntry(
        _ action: String,
        by actor: AuditActor,
        requestID: String? = nil,
        traceID: String? = nil
    ) throws -> AuditDraft {
        var running = self
        running.status = .running
        running.failure = nil
        return try entry(
            action,
            before: running.auditedProgress,
            after: auditedProgress,
            by: actor,
            requestID: requestID,
            traceID: traceID
        )
    }

    /// What the audit log says of how far it has come.
    private var auditedProgress: JSONValue {
        let members = [
            JSONMember("considered", .number(considered)), JSONMember("replayed", .number(replayed)),
            JSONMember("status", .string(status.rawValue)),
        ]
        return .object(members + (failure.map { [JSONMember("failure", .string($0))] } ?? []))
    }

    /// What the audit log says of what was asked for.
    private var auditedOrder: JSONValue {
        [
            "automation_id": .string(target.id.lowercased), "automation_key": .string(target.key),
            "automation_version": .number(target.version), "dry_run": .bool(isDryRun),
            "from": .string(ReplaySpan.time(span.from).description), "status": .string(status.rawValue),
            "until": .string(ReplaySpan.time(span.until).description),
        ]
    }
}
