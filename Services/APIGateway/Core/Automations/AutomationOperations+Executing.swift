import Contracts
import Domain
import HTTPTypes
import JSON

extension AutomationOperations {
    /// `POST /admin/api/automations/{id}/execute`: 200 with the run once it has ended, 202 where that takes long.
    func execute(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let body = try JSONBody.object(of: request, limit: limit)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation", try Self.automation(request))
        writer.key("body")
        writer.raw(body.root.rawBytes)
        writer.endObject()
        return try await engine.execute(RequestType.engineAutomationsExecute, writer.bytes, for: request)
    }
}
