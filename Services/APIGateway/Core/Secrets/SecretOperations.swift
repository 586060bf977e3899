import Contracts
import HTTPTypes
import JSON

/// Secrets, which the engine seals and keeps; a value goes in and never comes out.
struct SecretOperations: Sendable {
    let engine: EngineClient
    let limit: Int

    /// `GET /admin/api/secrets`.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        try await engine.list(RequestType.engineSecretsList, for: request)
    }

    /// `PUT /admin/api/secrets/{name}`.
    func put(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let root = try JSONBody.object(of: request, limit: limit).root
        guard let value = root["value"]?.stringValue, root.count == 1 else {
            throw GatewayProblem(
                .invalidRequest,
                Sentence("The body is {\"value\": \"…\"}.", "El cuerpo es {\"value\": \"…\"}.")
            )
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("name", try Self.name(request))
        writer.member("value", value)
        writer.endObject()
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineSecretsPut, writer.bytes, for: request))
    }

    /// `DELETE /admin/api/secrets/{name}`.
    func delete(_ request: GatewayRequest) async throws -> GatewayAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("name", try Self.name(request))
        writer.endObject()
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineSecretsDelete, writer.bytes, for: request))
    }

    private static func name(_ request: GatewayRequest) throws -> String {
        guard let name = request.parameters.first, (1...100).contains(name.utf8.count) else {
            throw GatewayProblem.notFound
        }
        return name
    }
}
