import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import ServiceBase

/// Cancels and resumes runs because a person has asked for it.
struct RunControl: Sendable {
    let lanes: LaneGroup
    let driver: RunDriver
    /// Rung when a run has ended that may have had a place.
    var freed = Alarm()
    /// Microseconds of Unix time.
    let now: @Sendable () -> Int64

    /// Ends a run that has not ended: `run_id`.
    func cancel(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let reply = try await change("run.cancel", body, context) { loaded, _ in
            let record = loaded.record
            guard !record.status.isFinal else {
                throw Problem(
                    .wrongState,
                    "The run has ended already; it has \(record.status.rawValue).",
                    detailES: "La ejecución ya terminó; su estado es \(record.status.rawValue)."
                )
            }
            return (loaded.record.cancel(at: now()), AdmissionRepository.freeing([record.id]))
        }
        freed.ring()
        return reply
    }

    /// Makes a failed run go on from the step that has failed: `run_id`.
    func resume(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let reply = try await change("run.resume", body, context) { loaded, transaction in
            let record = loaded.record
            guard record.status == .failed, !record.isDryRun else {
                throw Problem(
                    .wrongState,
                    "Only a failed run can be resumed; this one is \(record.isDryRun ? "a dry run" : record.status.rawValue).",
                    detailES: "Solo se puede reanudar una ejecución fallida."
                )
            }
            try await Self.requireStored(loaded, in: transaction)
            let automation = try await AutomationRepository.lock(
                record.automationID.lowercased,
                tenant: record.tenant,
                in: transaction.database
            )
            guard automation?.status == .active else {
                throw Problem.notExecutable
            }
            let (version, admission) = try await admission(of: loaded, context, in: transaction)
            return (loaded.record.resume(version), admission)
        }
        driver.wake()
        freed.ring()
        return reply
    }

    /// What a run that goes on is admitted by: it needs a place as every other, and waits where there is none.
    private func admission(
        of loaded: LoadedRun,
        _ context: RequestContext,
        in transaction: ChangeTransaction
    ) async throws -> (version: CompiledAutomation, statements: [PostgresStatement]) {
        let automation: CompiledAutomation
        let request: AdmissionRequest
        do {
            automation = try await driver.versions.version(of: loaded.record, deadline: context.deadline)
            request = try AdmissionRequest(
                automation,
                try loaded.signal(),
                runID: loaded.record.id,
                isResumed: true
            )
        } catch let error as StepError {
            throw Problem(
                .wrongState,
                "The run cannot go on: \(error.detail)",
                detailES: "La ejecución no puede continuar."
            )
        }
        var admission = try await Admission([request], in: transaction.database)
        _ = try admission.decide(request)
        return (automation, AdmissionRepository.writing(admission.ledger))
    }

    /// Refuses a run that retention has begun to take away: nothing protects an ended run of an old week.
    ///
    /// The inbox of a week goes first. It is read here, so that its end waits for this transaction; and once the run has no
    /// end any more, everything else of its week and of its signal's is kept.
    private static func requireStored(_ loaded: LoadedRun, in transaction: ChangeTransaction) async throws {
        let record = loaded.record
        let rows = try await transaction.database.execute(
            PostgresStatement(
                """
                SELECT EXISTS (SELECT FROM engine.inbox WHERE signal_id = $1),
                       to_regclass('engine.inbox_' || to_char(date_trunc('week', engine.uuid7_time($2), 'UTC')
                                                              AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NOT NULL
                """,
                [.uuid(record.signalID), .uuid(record.id)]
            )
        )
        let hasSignal = try rows.first?.decode(0, as: Bool.self) ?? false
        let hasWeek = try rows.first?.decode(1, as: Bool.self) ?? false
        guard hasSignal, hasWeek, loaded.event != nil, record.steps.contains(where: { $0.status == .failed }) else {
            throw Problem(
                .wrongState,
                "The run is too old to be resumed: retention has taken away a part of what it needs.",
                detailES: "La ejecución es demasiado antigua para reanudarla."
            )
        }
    }

    private func change(
        _ action: String,
        _ body: JSONDocument,
        _ context: RequestContext,
        _ change: (inout LoadedRun, ChangeTransaction) async throws -> (RunChange, more: [PostgresStatement])
    ) async throws -> Reply {
        guard let id = body.root["run_id"]?.stringValue.flatMap(UUID.init(uuidString:)) else {
            throw Problem.runNotFound
        }
        let record = try await LaneTransaction.retrying {
            try await lanes.change(deadline: context.deadline) { transaction in
                guard
                    var run = try await RunRepository.lock(id, tenant: context.tenant, in: transaction.database)
                else {
                    throw Problem.runNotFound
                }
                let before = run.record.status
                let (made, more) = try await change(&run, transaction)
                let update = RunUpdate(record: run.record, change: made)
                transaction.enqueue((RunRepository.overruling(update) + more).map { ChangeStatement($0) })
                let entry = try Self.entry(action, of: run.record, before, context)
                // Its end, where this is one, leaves an entry of its own besides.
                transaction.lane.announce([update], at: now())
                return .made(run.record, entry)
            }
        }
        EngineMetrics().stored([record])
        if record.status.isFinal, record.caller != nil { driver.wake() }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", id.lowercased)
        writer.member("status", record.status.rawValue)
        writer.endObject()
        return Reply(status: 200, body: writer.bytes)
    }

    private static func entry(
        _ action: String,
        of record: RunRecord,
        _ before: RunStatus,
        _ context: RequestContext
    ) throws -> AuditDraft {
        AuditDraft(
            action,
            of: AuditObject(type: "run", id: record.id.lowercased),
            before: try .json(["status": .string(before.rawValue)]),
            after: try .json(["status": .string(record.status.rawValue)]),
            by: context
        )
    }
}
