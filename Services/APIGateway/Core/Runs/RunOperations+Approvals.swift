import Contracts
import Domain
import HTTPTypes
import JSON

extension RunOperations {
    /// `GET /api/approvals`: what waits for the decision of a person.
    func approvals(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let page = try PageRequest(try request.query())
        var writer = JSONWriter()
        writer.beginObject()
        page.write(to: &writer)
        writer.endObject()
        let body = try await engine.ask(RequestType.engineApprovalsList, writer.bytes, for: request)
        let next = try engine.document(of: body).root["next"]?.stringValue
        return page.answer(body, path: request.route.pattern, next: next)
    }

    /// `POST /api/runs/{run_id}/steps/{name}/approve` and `…/reject`: a person decides.
    func decide(_ request: GatewayRequest, _ decision: String, takesForm: Bool) async throws -> GatewayAnswer {
        guard request.parameters.count == 2, request.parameters[1].utf8.count <= 255 else {
            throw GatewayProblem.notFound
        }
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
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", try Self.runID(request))
        writer.member("step", request.parameters[1])
        writer.member("decision", decision)
        writer.member("role", request.caller.principal.role.rawValue)
        if let comment = comment?.stringValue { writer.member("comment", comment) }
        if let form = root?["form"] { writer.member("form", raw: Array(form.rawBytes)) }
        writer.endObject()
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineRunsDecide, writer.bytes, for: request))
    }
}
