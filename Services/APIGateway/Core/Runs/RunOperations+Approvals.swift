import Contracts
import Domain
import HTTPTypes
import JSON

extension RunOperations {
    /// `GET /api/approvals`: what waits for the decision of a person.
    func approvals(_ request: GatewayRequest) async throws -> GatewayAnswer {
        try await engine.list(RequestType.engineApprovalsList, for: request)
    }

    /// `POST /api/runs/{run_id}/steps/{name}/approve` and `…/reject`: a person decides.
    func decide(_ request: GatewayRequest, _ decision: String, takesForm: Bool) async throws -> GatewayAnswer {
        let root = request.body.isEmpty ? nil : try JSONBody.object(of: request, limit: limit).root
        let known = takesForm ? ["form", "comment"] : ["comment"]
        let comment = root?["comment"]
        guard root?.members.allSatisfy({ known.contains($0.key) }) ?? true,
            comment.map({ (1...2_000).contains($0.stringValue?.utf8.count ?? 0) }) ?? true
        else {
            throw GatewayProblem(
                .invalidRequest,
                Sentence(
                    "The body may have a comment of up to 2,000 bytes, and of an approval the form.",
                    "El cuerpo puede tener un comment de hasta 2.000 bytes y, en una aprobación, el form."
                )
            )
        }
        let question = try Self.step(of: request) { writer in
            writer.member("decision", decision)
            writer.member("role", request.caller.principal.role.rawValue)
            if let comment = comment?.stringValue { writer.member("comment", comment) }
            if let form = root?["form"] { writer.member("form", raw: Array(form.rawBytes)) }
        }
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineRunsDecide, question, for: request))
    }
}
