import Contracts
import Domain
import HTTPTypes
import JSON

/// Automations, which the engine owns.
struct AutomationOperations: Sendable {
    let engine: EngineClient
    /// The accepted signals, which a question may name.
    let signals: SignalRepository
    let limit: Int

    /// `POST /admin/api/automations`: the body goes to the engine as it came.
    func create(_ request: GatewayRequest) async throws -> GatewayAnswer {
        _ = try JSONBody.object(of: request, limit: limit)
        let answer = try await engine.ask(
            RequestType.engineAutomationsCreate,
            request.body,
            for: request,
            idempotencyKey: try request.idempotencyKey()
        )
        return try unwrapped(answer, .created)
    }

    /// `GET /admin/api/automations`.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        try await engine.list(RequestType.engineAutomationsList, for: request) { query, writer in
            guard let status = query["status"] else {
                return
            }
            guard AutomationStatus(rawValue: status) != nil else {
                throw GatewayProblem.invalidParameter("status")
            }
            writer.member("status", status)
        }
    }

    /// `GET /admin/api/automations/{id}`, by id or key.
    func get(_ request: GatewayRequest) async throws -> GatewayAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation", try Self.automation(request))
        writer.endObject()
        let answer = try await engine.ask(RequestType.engineAutomationsGet, writer.bytes, for: request)
        return try unwrapped(answer, .ok)
    }

    /// `POST …/activate`, `…/deactivate`, `…/pause` and `…/resume`.
    func change(_ request: GatewayRequest) async throws -> GatewayAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation", try Self.automation(request))
        try Self.writeCondition(of: request, to: &writer)
        writer.endObject()
        let type =
            switch request.route {
            case .activateAutomation: RequestType.engineAutomationsActivate
            case .pauseAutomation: RequestType.engineAutomationsPause
            case .resumeAutomation: RequestType.engineAutomationsResume
            default: RequestType.engineAutomationsDeactivate
            }
        return try unwrapped(try await engine.ask(type, writer.bytes, for: request), .ok)
    }

    /// `GET /admin/api/schemas/automation`: the JSON Schema of an automation.
    func schema(_ request: GatewayRequest) async throws -> GatewayAnswer {
        GatewayAnswer(.ok, try await engine.ask(RequestType.engineAutomationsSchema, Array("{}".utf8), for: request))
    }

    /// The automation alone, its version in the `ETag`.
    func unwrapped(_ answer: [UInt8], _ status: HTTPResponse.Status) throws -> GatewayAnswer {
        let root = try engine.document(of: answer).root
        guard let automation = root["automation"] else {
            throw GatewayProblem(.internalError)
        }
        var unwrapped = GatewayAnswer(status, Array(automation.rawBytes))
        if let tag = root["etag"]?.stringValue.flatMap({ EntityTag.header($0) }) {
            unwrapped.headers.append((.eTag, tag))
        }
        if status == .created, let id = automation["id"]?.stringValue {
            unwrapped.headers.append((.location, "\(Route.createAutomation.pattern)/\(PercentEncoding.encode(id))"))
        }
        return unwrapped
    }

    static func automation(_ request: GatewayRequest) throws -> String {
        guard let name = request.parameters.first, name.utf8.count <= 100 else {
            throw GatewayProblem.notFound
        }
        return name
    }

    /// Writes the one state that an `If-Match` allows, `*` for any, as a member of a request.
    static func writeCondition(of request: GatewayRequest, to writer: inout JSONWriter) throws {
        guard let header = request.headers[.ifMatch] else {
            return
        }
        switch EntityTag.condition(header) {
        case .any: writer.member("if_match", "*")
        case .tags(let tags) where tags.count == 1: writer.member("if_match", tags.first)
        case .tags(let tags) where tags.isEmpty: throw GatewayProblem(.preconditionFailed)
        case .tags, nil: throw GatewayProblem.invalidParameter("If-Match")
        }
    }
}
