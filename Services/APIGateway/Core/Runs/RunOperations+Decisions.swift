import Contracts
import HTTPTypes
import JSON

extension RunOperations {
    /// `POST /api/runs/{run_id}/steps/{name}/resolve`: a person decides about an attempt of unknown outcome.
    func resolve(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let root = try JSONBody.object(of: request, limit: limit).root
        guard let decision = root["decision"]?.stringValue, ["happened", "did_not_happen"].contains(decision),
            root.members.allSatisfy({ ["decision", "output", "personal"].contains($0.key) }),
            root["personal"].map({ $0.boolValue != nil && root["output"] != nil }) ?? true
        else {
            throw GatewayProblem(
                .invalidRequest,
                Sentence(
                    "The body has decision, \"happened\" or \"did_not_happen\", and for what happened an output, of which "
                        + "personal may say that it is.",
                    "El cuerpo tiene decision, \"happened\" o \"did_not_happen\", y si ocurrió, un output, del que "
                        + "personal puede decir que lo es."
                )
            )
        }
        let question = try Self.step(of: request) { writer in
            writer.member("decision", decision)
            if let output = root["output"] {
                writer.key("output")
                writer.raw(output.rawBytes)
            }
            if root["personal"]?.boolValue == true { writer.member("personal", true) }
        }
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineRunsResolve, question, for: request))
    }
}
