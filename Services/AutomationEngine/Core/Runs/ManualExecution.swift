import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// Executes an automation because a person has asked for it.
///
/// It makes an artificial signal that is aimed at the automation, and hands it to the function that processes every other
/// signal; nothing of how a run comes about, is deduplicated, limited or recorded is its own.
struct ManualExecution: Sendable {
    let database: PostgresClient
    let processor: SignalProcessor

    /// Executes an automation.
    ///
    /// - Returns: `run_id` and `signal_id`, once the run is stored.
    func execute(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        guard let reference = body.root["automation"]?.stringValue,
            let automation = try await AutomationRepository(database: database)
                .find(reference, tenant: context.tenant)
        else {
            throw Problem.automationNotFound
        }
        let order = try ExecutionOrder(body.root["body"])
        // The transaction decides; this spares an automation that is not active the attempt.
        guard automation.status == .active else {
            throw Problem.notExecutable
        }
        let signal = try order.signal(for: automation, by: context, at: .now())
        let request = IdempotentRequest(context, route: "automations.execute", body: body.bytes)
        return try await processor.process([signal]) { transaction, write in
            try await transaction.once(request) {
                guard let run = try await write().runs.first else {
                    throw Problem.notExecutable
                }
                if order.mode == .live {
                    transaction.enqueue([RunRepository.keeping(signal)])
                }
                transaction.auditKeepingLargeValues(
                    try order.entry(for: automation, run: run, by: context, at: .now())
                )
                return FirstReply(Reply(status: 200, body: order.answer(run)))
            }
        }
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
}

/// What a person asks to be executed: how, and with what.
struct ExecutionOrder: Sendable {
    /// Whether the steps act, or only say what they would do.
    enum Mode: String, CaseIterable, Sendable {
        case dry = "dry_run"
        case live = "live_run"
    }

    static let source = "/batuta/manual"

    let mode: Mode
    /// The signal's data.
    let data: [UInt8]

    /// Reads the body of `POST …/execute`.
    ///
    /// - Throws: All its faults, as a `Problem`.
    init(_ body: JSONView?) throws(Problem) {
        var faults: [Problem.Detail] = []
        func fault(_ member: String, _ code: String, _ detail: String) {
            faults.append(
                Problem.Detail(pointer: JSONPointer().appending(member).text, code: code, detail: detail)
            )
        }
        for member in body?.members.map(\.key) ?? [] where member != "mode" && member != "context" {
            fault(member, "unknown_member", "There is no member \"\(member)\" here.")
        }
        let mode = body?["mode"]?.stringValue.flatMap(Mode.init(rawValue:))
        if mode == nil {
            fault(
                "mode",
                body?["mode"] == nil ? "required" : "invalid_value",
                "The mode is \"dry_run\" or \"live_run\"."
            )
        }
        let context = body?["context"]
        if let context, context.kind != .object {
            fault("context", "invalid_type", "The context is an object.")
        }
        guard faults.isEmpty, let mode else {
            throw Problem(.invalidContent, errors: faults)
        }
        self.mode = mode
        data = context.map { Array($0.rawBytes) } ?? Array("{}".utf8)
    }

    /// The artificial signal: aimed at the automation, of its trigger's type, with what the person has given as its data.
    ///
    /// - Throws: `Problem` with `too_large`.
    func signal(for automation: Automation, by context: RequestContext, at now: Timestamp) throws -> IncomingSignal {
        let id = UUIDv7.make()
        let definition = try JSONDocument(parsing: automation.definition).root
        guard let trigger = (definition["trigger"]?["signalType"]?.stringValue).flatMap({ SignalTrigger($0) }) else {
            throw Problem.notExecutable
        }
        var writer = JSONWriter(capacity: data.count + 768)
        writer.beginObject()
        writer.member("specversion", "1.0")
        writer.member("id", id.lowercased)
        writer.member("source", Self.source)
        writer.member("type", trigger.artificialType)
        writer.member("time", now.description)
        writer.member("datacontenttype", "application/json")
        writer.member(IncomingSignal.idAttribute, id.lowercased)
        if let traceparent = context.traceparent {
            writer.member("traceparent", traceparent)
        }
        writer.key("data")
        writer.raw(data)
        writer.member(SignalsAcceptedV2.targetAttribute, automation.id.lowercased)
        writer.member(
            SignalsAcceptedV2.metadataAttribute,
            String(decoding: Self.metadata(context, now), as: UTF8.self)
        )
        writer.endObject()
        guard writer.bytes.count <= RunRecord.maximumOutput else {
            throw Problem(.tooLarge, "The context is longer than 256 KiB.")
        }
        var signal = try IncomingSignal(
            try JSONDocument(parsing: writer.bytes, limits: .wrapped).root,
            tenant: automation.tenant
        )
        signal.isForDryRun = mode == .dry
        return signal
    }

    /// What `signal.metadata` shows.
    private static func metadata(_ context: RequestContext, _ now: Timestamp) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("source")
        writer.beginObject()
        writer.member("type", "manual")
        writer.key("actor")
        writer.beginObject()
        writer.member("type", context.actor.type.rawValue)
        writer.member("id", context.actor.id)
        if let via = context.actor.via { writer.member("via", via) }
        writer.endObject()
        writer.endObject()
        writer.member("trace_id", context.traceparent.flatMap(RunRecord.traceID))
        writer.member("day_key", String(now.description.prefix(10)))
        writer.member("executed_at", now.description)
        writer.endObject()
        return writer.bytes
    }

    /// The entry of the execution in the audit log.
    func entry(
        for automation: Automation,
        run: RunRecord,
        by context: RequestContext,
        at now: Timestamp
    ) throws -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: now,
            tenant: context.tenant,
            actor: context.actor,
            action: "execute_manual",
            object: AuditObject(
                type: "automation",
                id: automation.id.lowercased,
                version: run.automationVersion
            ),
            before: .none,
            after: try .json([
                "mode": .string(mode.rawValue),
                "run_id": .string(run.id.lowercased),
                "signal_id": .string(run.signalID.lowercased),
            ]),
            requestID: context.requestID,
            traceID: context.traceparent.flatMap(RunRecord.traceID)
        )
    }

    /// What the gateway is answered.
    func answer(_ run: RunRecord) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", run.id.lowercased)
        writer.member("signal_id", run.signalID.lowercased)
        writer.endObject()
        return writer.bytes
    }
}
