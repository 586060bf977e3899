import Contracts
import HTTPTypes
import JSON

extension RunOperations {
    /// `POST /api/runs/{run_id}/steps/{name}/resolve`: a person decides about an attempt of unknown outcome.
    func resolve(_ request: GatewayRequest) async throws -> GatewayAnswer {
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
        let question = try Self.step(of: request) { writer in
            writer.member("decision", decision)
            if let output = root["output"] {
                writer.key("output")
                writer.raw(output.rawBytes)
            }
        }
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineRunsResolve, question, for: request))
    }
}
