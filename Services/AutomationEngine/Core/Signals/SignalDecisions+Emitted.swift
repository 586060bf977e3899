import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging

extension SignalDecisions {
    private var emitted: EmittedSignalRepository { EmittedSignalRepository(database: database) }

    /// What became of a signal that the engine itself has sent.
    func get(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        guard let id = body.root["signal_id"]?.stringValue.flatMap(UUID.init(uuidString:)),
            let signal = try await emitted.signal(id, of: context)
        else {
            throw Problem(.notFound, "There is no such signal.")
        }
        let event = try JSONDocument(parsing: signal.event, limits: .wrapped).root
        let judgement = try await judgement(of: id, type: signal.type, event: event, context)
        let status = SignalStatus(
            isProcessed: judgement.isProcessed,
            isPublished: judgement.isProcessed ? true : try await emitted.isPublished(id, of: context)
        )
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("signal_id", id.lowercased)
        writer.member("id", event["id"]?.stringValue)
        writer.member("source", event["source"]?.stringValue)
        writer.member("type", signal.type)
        writer.member("accepted_at", signal.emittedAt.description)
        writer.member("status", status.rawValue)
        writer.key("decisions")
        writer.raw(judgement.decisions)
        writer.endObject()
        return Reply(status: 200, body: writer.bytes)
    }

    /// The event that a question is about: given whole, or named where the engine itself has sent it.
    func event(in body: JSONDocument, _ context: RequestContext) async throws -> JSONView? {
        guard let reference = body.root["signal_id"] else {
            return body.root["event"]
        }
        guard let id = reference.stringValue.flatMap(UUID.init(uuidString:)),
            let signal = try await emitted.signal(id, of: context)
        else {
            throw Problem(.notFound, "There is no such signal.")
        }
        return try JSONDocument(parsing: signal.event, limits: .wrapped).root
    }
}
