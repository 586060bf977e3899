import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import JSON

extension AutomationOperations {
    /// `POST /admin/api/automations/{id}/why`: whether a signal, or an event, would start the automation, or why not.
    func why(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let root = try JSONBody.object(of: request, limit: limit).root
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation", try Self.automation(request))
        switch (root["signal_id"], root["event"]) {
        case (let signal?, nil) where root.count == 1:
            guard let id = signal.stringValue.flatMap(UUID.init(uuidString:)) else {
                throw GatewayProblem.notFound
            }
            if let event = try await signals.event(of: id, tenant: request.caller.principal.tenant) {
                writer.key("event")
                writer.raw(event)
            } else {
                // One that a run has emitted is the engine's own.
                writer.member("signal_id", id.lowercased)
            }
        case (nil, let event?) where root.count == 1 && event.kind == .object:
            writer.key("event")
            writer.raw(event.rawBytes)
        default:
            throw GatewayProblem(
                .invalidRequest,
                Sentence(
                    "The body has either a signal_id or an event.",
                    "El cuerpo tiene un signal_id o un event."
                )
            )
        }
        writer.endObject()
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineAutomationsWhy, writer.bytes, for: request))
    }
}
