import Contracts
import HTTPTypes
import JSON

extension AutomationOperations {
    /// `PUT /admin/api/automations/{id}`: one version more.
    func update(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let body = try JSONBody.object(of: request, limit: limit)
        let question = try Self.change(request, body: body.root)
        return try unwrapped(try await engine.ask(RequestType.engineAutomationsUpdate, question, for: request), .ok)
    }

    /// `POST …/versions/{version}/restore`: an earlier version once more, as the newest one.
    func restore(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let version = try Self.version(request)
        let body = request.body.isEmpty ? nil : try JSONBody.object(of: request, limit: limit)
        let question = try Self.change(request, body: body?.root) { $0.member("restored", version) }
        return try unwrapped(try await engine.ask(RequestType.engineAutomationsRestore, question, for: request), .ok)
    }

    /// `DELETE /admin/api/automations/{id}`, of a draft.
    func delete(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let question = try Self.change(request, body: nil)
        _ = try await engine.ask(RequestType.engineAutomationsDelete, question, for: request)
        return GatewayAnswer(.noContent, [])
    }

    /// `POST /admin/api/automations/validate`: what would be refused, and nothing is stored.
    func validate(_ request: GatewayRequest) async throws -> GatewayAnswer {
        _ = try JSONBody.object(of: request, limit: limit)
        return GatewayAnswer(
            .ok,
            try await engine.ask(RequestType.engineAutomationsValidate, request.body, for: request)
        )
    }

    /// `GET …/versions`, newest first.
    func versions(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let page = try PageRequest(try request.query())
        let automation = try Self.automation(request)
        let question = Self.question(of: automation) { page.write(to: &$0) }
        let body = try await engine.ask(RequestType.engineAutomationsVersions, question, for: request)
        let next = try engine.document(of: body).root["next"]?.stringValue
        let path = "\(Route.createAutomation.pattern)/\(PercentEncoding.encode(automation))/versions"
        return page.answer(body, path: path, next: next)
    }

    /// `GET …/versions/{version}`, whole.
    func version(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let version = try Self.version(request)
        let question = Self.question(of: try Self.automation(request)) { $0.member("version", version) }
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineAutomationsVersion, question, for: request))
    }

    /// `GET …/diff?from=1&to=2`: what distinguishes two versions.
    func diff(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let query = try request.query()
        let bounds = try ["from", "to"].compactMap { name in
            try query[name].map { text in
                guard let number = Int64(text), number >= 1 else {
                    throw GatewayProblem.invalidParameter(name)
                }
                return (name, number)
            }
        }
        let question = Self.question(of: try Self.automation(request)) { writer in
            for (name, number) in bounds { writer.member(name, number) }
        }
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineAutomationsDiff, question, for: request))
    }

    /// A question about one automation.
    private static func question(of automation: String, _ more: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation", automation)
        more(&writer)
        writer.endObject()
        return writer.bytes
    }

    /// A change of one automation: which, based on what, and what the client sent.
    private static func change(
        _ request: GatewayRequest,
        body: JSONView?,
        _ more: (inout JSONWriter) -> Void = { _ in }
    ) throws -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation", try automation(request))
        try writeCondition(of: request, to: &writer)
        more(&writer)
        writer.key("body")
        writer.raw(body?.rawBytes ?? Array("{}".utf8)[...])
        writer.endObject()
        return writer.bytes
    }

    /// The version in the path.
    private static func version(_ request: GatewayRequest) throws -> Int64 {
        guard request.parameters.count == 2, let number = Int64(request.parameters[1]), number >= 1 else {
            throw GatewayProblem.notFound
        }
        return number
    }
}
