import Contracts
import HTTPTypes
import JSON

extension RunOperations {
    /// `POST /api/runs/{run_id}/cancel` and `…/resume`; neither needs a body.
    func control(_ request: GatewayRequest) async throws -> GatewayAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", try Self.runID(request))
        writer.endObject()
        let type = request.route == .cancelRun ? RequestType.engineRunsCancel : RequestType.engineRunsResume
        return GatewayAnswer(.ok, try await engine.ask(type, writer.bytes, for: request))
    }

    /// `POST /api/runs/{run_id}/rerun`: the run's signal once more, as a fresh one for the same automation.
    func rerun(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let body = request.body.isEmpty ? nil : try JSONBody.object(of: request, limit: limit)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", try Self.runID(request))
        writer.key("body")
        writer.raw(body?.root.rawBytes ?? Array("{}".utf8)[...])
        writer.endObject()
        return try await engine.execute(RequestType.engineRunsRerun, writer.bytes, for: request)
    }
}
