import Contracts
import HTTPTypes
import JSON

extension RunOperations {
    /// `POST /api/runs/{run_id}/steps/{name}/resolve`: a person decides about an attempt of unknown outcome.
    func resolve(_ request: GatewayRequest) async throws -> GatewayAnswer {
        guard request.parameters.count == 2, request.parameters[1].utf8.count <= 255 else {
            throw GatewayProblem.notFound
        }
        let root = try JSONBody.object(of: request, limit: limit).root
        guard let decision = root["decision"]?.stringValue, ["happened", "did_not_happen"].contains(decision),
            root.members.allSatisfy({ ["decision", "output"].contains($0.key) })
        else {
            throw GatewayProblem(
                .invalidRequest,
                Sentence(
                    "The body has decision, \"happened\" or \"did_not_happen\", and for what happened an output.",
                    "El cuerpo tiene decision, \"happened\" o \"did_not_happen\", y si ocurrió, un output."
                )
            )
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", try Self.runID(request))
        writer.member("step", request.parameters[1])
        writer.member("decision", decision)
        if let output = root["output"] {
            writer.key("output")
            writer.raw(output.rawBytes)
        }
        writer.endObject()
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineRunsResolve, writer.bytes, for: request))
    }
}
