import Contracts
import Domain
import EventPattern
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// What an event is judged by: a version of an automation, and whether it was active.
private struct JudgedVersion: Sendable {
    var status: String
    var version: Int64
    var definition: [UInt8]
}

extension SignalDecisions {
    /// Whether an event starts an automation, and if not, which part of it is in the way.
    ///
    /// A signal that was processed is judged by what was in force then, any other event by what is in force now.
    func why(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        guard let reference = body.root["automation"]?.stringValue,
            let automation = try await AutomationRepository(database: database)
                .find(reference, tenant: context.tenant)
        else {
            throw Problem.automationNotFound
        }
        guard let event = try await event(in: body, context), let type = event["type"]?.stringValue else {
            throw Problem(.invalidRequest, "The event is missing, or has no type.")
        }
        let (isProcessed, judged) = try await version(of: automation, judging: event, context)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation_key", automation.key)
        writer.member("processed", isProcessed)
        writer.member("status", judged?.status)
        writer.member("version", judged?.version)
        let skip = try await skip(of: event, by: automation, context)
        let mismatches = try judged.map { try self.mismatches(event, type, with: $0, of: automation) }
        let isActive = judged?.status == AutomationStatus.active.rawValue
        writer.member("matches", mismatches?.isEmpty ?? false)
        writer.member("runs", mismatches?.isEmpty ?? false && isActive && skip == nil)
        writer.key("reasons")
        writer.beginArray()
        for reason in mismatches ?? [] { writer.reason(reason.pointer, reason.detail) }
        if let judged, !isActive {
            let verb = isProcessed ? "was" : "is"
            writer.reason("", "the automation \(verb) \(judged.status), and only active ones run")
        }
        if judged == nil {
            writer.reason("", "the automation did not exist when the signal was processed")
        }
        if !isProcessed, automation.isPaused {
            writer.reason("", "the automation is paused, so that its runs wait")
        }
        if let skip {
            writer.reason(skip.pointer, skip.detail)
        }
        writer.endArray()
        writer.endObject()
        return Reply(status: 200, body: writer.bytes)
    }

    /// What an event is judged by; nil where the automation did not exist when the signal was processed.
    private func version(
        of automation: Automation,
        judging event: JSONView,
        _ context: RequestContext
    ) async throws -> (isProcessed: Bool, version: JudgedVersion?) {
        let now = JudgedVersion(
            status: automation.status.rawValue,
            version: Int64(automation.version),
            definition: automation.definition
        )
        guard let id = event[IncomingSignal.idAttribute]?.stringValue.flatMap(UUID.init(uuidString:)) else {
            return (false, now)
        }
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT s.status, s.version, v.definition
                FROM engine.inbox i
                LEFT JOIN LATERAL (
                    SELECT status, version FROM engine.automation_states
                    WHERE automation_id = $2 AND generation <= i.generation ORDER BY generation DESC LIMIT 1
                ) AS s ON true
                LEFT JOIN engine.automation_versions v ON v.automation_id = $2 AND v.version = s.version
                WHERE i.signal_id = $1 AND i.tenant = $3
                """,
                [.uuid(id), .uuid(automation.id), .text(context.tenant)],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        guard let row = rows.first else {
            return (false, now)
        }
        guard let status = try row.decode(0, as: String?.self), let version = try row.decode(1, as: Int64?.self),
            let definition = try row.decode(2, as: [UInt8]?.self)
        else {
            return (true, nil)
        }
        return (true, JudgedVersion(status: status, version: version, definition: definition))
    }

    /// The parts of a version that are in the way of an event; none where it matches.
    private func mismatches(
        _ event: JSONView,
        _ type: String,
        with judged: JudgedVersion,
        of automation: Automation
    ) throws -> [(pointer: String, detail: String)] {
        let document = try JSONDocument(parsing: judged.definition)
        var reader = DefinitionReader(registry: registry, from: .storage)
        guard case .definition(let definition) = reader.read(document.root, at: JSONPointer()) else {
            throw Problem(.wrongState, "The definition can no longer be executed.")
        }
        // A signal that is aimed skips type and filter of its target, and wakes nobody else.
        if let target = event[SignalsAcceptedV2.targetAttribute]?.stringValue {
            return target == automation.id.lowercased || target == automation.key
                ? [] : [("", "the signal is aimed at another automation")]
        }
        guard definition.trigger.matches(type) else {
            let detail = "the type is \(type), and the trigger is on \(definition.trigger.signalType)"
            return [("/trigger/signalType", detail)]
        }
        return definition.filter?.why(event).map { [($0.pointer.text, $0.description)] } ?? []
    }
}

extension JSONWriter {
    /// Why an event does not start an automation: where in its definition, and a sentence.
    fileprivate mutating func reason(_ pointer: String, _ detail: String) {
        beginObject()
        member("pointer", pointer)
        member("detail", detail)
        endObject()
    }
}
