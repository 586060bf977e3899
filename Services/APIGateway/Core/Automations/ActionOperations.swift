import Contracts
import HTTPTypes
import JSON

/// What steps can do, which the engine owns.
struct ActionOperations: Sendable {
    let engine: EngineClient
    let limit: Int

    /// `GET /admin/api/actions`.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        try await engine.list(RequestType.engineActionsList, for: request)
    }

    /// `GET /admin/api/actions/{action_key}`.
    func get(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let question = try Self.question(request) { _ in }
        return try unwrapped(try await engine.ask(RequestType.engineActionsGet, question, for: request))
    }

    /// `PUT /admin/api/actions/{action_key}`: registers an action, or replaces it.
    func put(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let body = try JSONBody.object(of: request, limit: limit)
        let question = try Self.question(request) { writer in
            try Self.writeChange(of: request, to: &writer)
            writer.key("body")
            writer.raw(body.root.rawBytes)
        }
        return try unwrapped(try await engine.ask(RequestType.engineActionsPut, question, for: request))
    }

    /// `DELETE /admin/api/actions/{action_key}`: withdraws an action.
    func delete(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let question = try Self.question(request) { try Self.writeChange(of: request, to: &$0) }
        _ = try await engine.ask(RequestType.engineActionsDelete, question, for: request)
        return GatewayAnswer(.noContent, [])
    }

    /// The action alone, its version in the `ETag` where it has one.
    private func unwrapped(_ answer: [UInt8]) throws -> GatewayAnswer {
        let root = try engine.document(of: answer).root
        guard let action = root["action"] else {
            throw GatewayProblem(.internalError)
        }
        let isNew = root["created"]?.boolValue ?? false
        var unwrapped = GatewayAnswer(isNew ? .created : .ok, Array(action.rawBytes))
        if let tag = root["etag"]?.stringValue.flatMap({ EntityTag.header($0) }) {
            unwrapped.headers.append((.eTag, tag))
        }
        if isNew, let key = action["action_key"]?.stringValue {
            unwrapped.headers.append((.location, "\(Route.listActions.pattern)/\(PercentEncoding.encode(key))"))
        }
        return unwrapped
    }

    /// A question about the action in the path.
    private static func question(
        _ request: GatewayRequest,
        _ more: (inout JSONWriter) throws -> Void
    ) throws -> [UInt8] {
        guard let key = request.parameters.first, key.utf8.count <= 200 else {
            throw GatewayProblem.notFound
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("action_key", key)
        try more(&writer)
        writer.endObject()
        return writer.bytes
    }

    /// What a change is based on, and whether it may break automations.
    private static func writeChange(of request: GatewayRequest, to writer: inout JSONWriter) throws {
        try AutomationOperations.writeCondition(of: request, to: &writer)
        guard let force = try request.query()["force"] else {
            return
        }
        guard let flag = Bool(force) else {
            throw GatewayProblem.invalidParameter("force")
        }
        writer.member("force", flag)
    }
}
