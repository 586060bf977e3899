import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import ServiceBase

/// Executes automations because a person has asked for it.
///
/// It makes an artificial signal that is aimed at the automation, and hands it to the function that processes every other
/// signal; nothing of how a run comes about, is deduplicated, limited or recorded is its own.
struct ManualExecution: Sendable {
    let database: PostgresClient
    let processor: SignalProcessor
    let lanes: LaneGroup

    private var automations: AutomationRepository { AutomationRepository(database: database) }

    /// Executes an automation with what the person has given as the signal's data.
    ///
    /// - Returns: `run_id` and `signal_id`, once the run is stored.
    func execute(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let request = IdempotentRequest(context, route: "automations.execute", body: body.bytes)
        if let earlier = try await lanes.earlierReply(to: request, deadline: context.deadline) {
            return earlier
        }
        guard let reference = body.root["automation"]?.stringValue,
            let automation = try await automations.find(reference, tenant: context.tenant)
        else {
            throw Problem.automationNotFound
        }
        let order = try ExecutionOrder(body.root["body"])
        let definition = try JSONDocument(parsing: automation.definition).root
        guard let trigger = (definition["trigger"]?["signalType"]?.stringValue).flatMap({ SignalTrigger($0) }) else {
            throw Problem.notExecutable
        }
        let aimed = aimed(at: automation, source: "/batuta/manual", type: "manual", by: context)
        return try await start(
            aimed.event(type: trigger.artificialType, data: order.data ?? Array("{}".utf8)),
            for: automation,
            order.mode,
            request,
            context
        ) { run in
            (
                "execute_manual",
                AuditObject(type: "automation", id: automation.id.lowercased, version: run.automationVersion)
            )
        }
    }

    /// Executes the automation of a run once more, with the run's event as a fresh signal.
    ///
    /// - Returns: `run_id` and `signal_id` of the new run, once it is stored.
    func rerun(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let request = IdempotentRequest(context, route: "runs.rerun", body: body.bytes)
        if let earlier = try await lanes.earlierReply(to: request, deadline: context.deadline) {
            return earlier
        }
        guard let id = body.root["run_id"]?.stringValue.flatMap(UUID.init(uuidString:)),
            let loaded = try await RunRepository(database: database)
                .load([id], deadline: context.deadline)[id]?.get(),
            loaded.record.tenant == context.tenant
        else {
            throw Problem.runNotFound
        }
        let order = try ExecutionOrder(body.root["body"], standardMode: .live, takesContext: false)
        guard let event = loaded.event,
            let automation = try await automations.find(
                loaded.record.automationID.lowercased,
                tenant: context.tenant
            )
        else {
            throw Problem(.wrongState, "The run's signal, or its automation, is no longer there.")
        }
        let aimed = aimed(
            at: automation,
            source: "/batuta/rerun",
            type: "rerun",
            by: context,
            more: [("rerun_of", loaded.record.signalID.lowercased), ("rerun_of_run", id.lowercased)]
        )
        return try await start(
            aimed.event(copying: try JSONDocument(parsing: event, limits: .wrapped).root),
            for: automation,
            order.mode,
            request,
            context
        ) { _ in ("run.rerun", AuditObject(type: "run", id: id.lowercased)) }
    }

    private func aimed(
        at automation: Automation,
        source: String,
        type: String,
        by context: RequestContext,
        more: [(name: String, value: String)] = []
    ) -> AimedEvent {
        AimedEvent(
            signalID: UUIDv7.make(),
            source: source,
            target: .id(automation.id),
            origin: AimedEvent.Origin(
                type: type,
                actor: context.actor,
                traceparent: context.traceparent,
                time: .now(),
                more: more
            )
        )
    }

    /// Processes an artificial signal, with the audit entry of who has asked for it in the same transaction.
    private func start(
        _ event: [UInt8],
        for automation: Automation,
        _ mode: ExecutionOrder.Mode,
        _ request: IdempotentRequest?,
        _ context: RequestContext,
        entry: @Sendable (RunRecord) -> (action: String, object: AuditObject)
    ) async throws -> Reply {
        // The transaction decides; this spares an automation that is not active the attempt.
        guard automation.status == .active else {
            throw Problem.notExecutable
        }
        guard event.count <= RunRecord.maximumOutput + AimedEvent.maximumStamps else {
            throw Problem(.tooLarge, "The signal is longer than 256 KiB.")
        }
        var signal = try IncomingSignal(
            try JSONDocument(parsing: event, limits: .wrapped).root,
            tenant: automation.tenant
        )
        signal.isForDryRun = mode == .dry
        return try await processor.process([signal], deadline: context.deadline) { [signal] transaction, write in
            try await transaction.once(request) {
                let outcome = try await write()
                if mode == .live {
                    transaction.lane.enqueue([RunRepository.keeping(signal)])
                }
                guard let run = outcome.runs.first else {
                    return try Self.refused(outcome.refusals.first, automation, signal, context)
                }
                let (action, object) = entry(run)
                return .made(
                    FirstReply(Reply(status: 200, body: Self.answer(run))),
                    try Self.entry(action, of: object, run, mode, context)
                )
            }
        }
    }

    /// What a person gets whose execution starts no run: the run that has its dedupe key, or why not.
    private static func refused(
        _ refusal: AdmissionRefusal?,
        _ automation: Automation,
        _ signal: IncomingSignal,
        _ context: RequestContext
    ) throws -> Change<FirstReply> {
        guard let refusal else {
            throw Problem.notExecutable
        }
        guard refusal.reason == .deduplicated, let run = refusal.run else {
            EngineMetrics().refused(refusal)
            throw refusal.problem
        }
        let entry = AuditDraft(
            "execute_manual",
            of: AuditObject(type: "automation", id: automation.id.lowercased, version: automation.version),
            before: .none,
            after: try .json([
                "deduplicated": true, "mode": .string(ExecutionOrder.Mode.live.rawValue),
                "run_id": .string(run.lowercased), "signal_id": .string(signal.id.lowercased),
            ]),
            by: context
        )
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", run.lowercased)
        writer.member("signal_id", signal.id.lowercased)
        writer.member("deduplicated", true)
        writer.endObject()
        return .made(FirstReply(Reply(status: 200, body: writer.bytes)), entry)
    }

    private static func entry(
        _ action: String,
        of object: AuditObject,
        _ run: RunRecord,
        _ mode: ExecutionOrder.Mode,
        _ context: RequestContext
    ) throws -> AuditDraft {
        AuditDraft(
            action,
            of: object,
            before: .none,
            after: try .json([
                "mode": .string(mode.rawValue),
                "run_id": .string(run.id.lowercased),
                "signal_id": .string(run.signalID.lowercased),
            ]),
            by: context
        )
    }

    private static func answer(_ run: RunRecord) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", run.id.lowercased)
        writer.member("signal_id", run.signalID.lowercased)
        writer.endObject()
        return writer.bytes
    }
}

extension Problem {
    /// The automation is not active.
    static var notExecutable: Problem {
        Problem(
            .wrongState,
            "Only active automations can be executed",
            detailES: "Solo se pueden ejecutar automatizaciones activas"
        )
    }

    /// There is no such run, or the caller may not see it.
    static var runNotFound: Problem {
        Problem(.notFound, "There is no such run.", detailES: "No hay tal ejecución.")
    }
}
