import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// Cancels and resumes runs because a person has asked for it.
struct RunControl: Sendable {
    let lanes: LaneGroup
    let driver: RunDriver
    /// Microseconds of Unix time.
    let now: @Sendable () -> Int64

    /// Ends a run that has not ended: `run_id`.
    func cancel(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        try await change("run.cancel", body, context) { record, _ in
            guard !record.status.isFinal else {
                throw Problem(
                    .wrongState,
                    "The run has ended already; it has \(record.status.rawValue).",
                    detailES: "La ejecución ya terminó; su estado es \(record.status.rawValue)."
                )
            }
            return record.cancel(at: now())
        }
    }

    /// Makes a failed run go on from the step that has failed: `run_id`.
    func resume(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let reply = try await change("run.resume", body, context) { record, transaction in
            guard record.status == .failed, !record.isDryRun else {
                throw Problem(
                    .wrongState,
                    "Only a failed run can be resumed; this one is \(record.isDryRun ? "a dry run" : record.status.rawValue).",
                    detailES: "Solo se puede reanudar una ejecución fallida."
                )
            }
            let automation = try await AutomationRepository.lock(
                record.automationID.lowercased,
                tenant: record.tenant,
                in: transaction.database
            )
            guard automation?.status == .active else {
                throw Problem.notExecutable
            }
            return record.resume()
        }
        driver.wake()
        return reply
    }

    private func change(
        _ action: String,
        _ body: JSONDocument,
        _ context: RequestContext,
        _ change: (inout RunRecord, LaneTransaction) async throws -> RunChange
    ) async throws -> Reply {
        guard let id = body.root["run_id"]?.stringValue.flatMap(UUID.init(uuidString:)) else {
            throw Problem.runNotFound
        }
        let record = try await lanes.transaction(deadline: context.deadline) { transaction in
            guard
                var record = try await RunRepository.lock(id, tenant: context.tenant, in: transaction.database)?.record
            else {
                throw Problem.runNotFound
            }
            let before = record.status
            let made = try await change(&record, transaction)
            let update = RunUpdate(record: record, change: made)
            transaction.enqueue(RunRepository.overruling(update))
            transaction.audit(try Self.entry(action, of: record, before, context))
            transaction.announce([update], at: now())
            return record
        }
        EngineMetrics().stored([record])
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
            id: UUIDv7.make(),
            time: .now(),
            tenant: context.tenant,
            actor: context.actor,
            action: action,
            object: AuditObject(type: "run", id: record.id.lowercased),
            before: try .json(["status": .string(before.rawValue)]),
            after: try .json(["status": .string(record.status.rawValue)]),
            requestID: context.requestID,
            traceID: context.traceparent.flatMap(RunRecord.traceID)
        )
    }
}
