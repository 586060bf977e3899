import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import JSON
import Messaging

/// The messages that services could not process, each of which its service owns.
struct DeadLetterOperations: Sendable {
    let engine: EngineClient
    let limit: Int

    /// The services that take messages, in the order in which they are asked.
    static let services: [ServiceName] = [.audit, .engine]

    /// `GET /admin/api/dead-letters`, newest first: of one service, or of all that take messages.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let page = try PageRequest(try request.query())
        guard page.cursor.map({ DeadLetterCursor($0) != nil }) ?? true else {
            throw GatewayProblem(.invalidCursor)
        }
        var writer = JSONWriter()
        writer.beginObject()
        page.write(to: &writer)
        if let state = page.query["state"] {
            guard ["waiting", "redriven", "discarded"].contains(state) else {
                throw GatewayProblem.invalidParameter("state")
            }
            writer.member("state", state)
        }
        writer.endObject()
        var merged = DeadLetterPages(limit: page.limit)
        for service in try Self.asked(page.query["service"]) {
            let type = RequestType.deadLetters(.list, of: service.rawValue)
            let answer = try await engine.ask(type, writer.bytes, of: service, for: request)
            try merged.add(try engine.document(of: answer).root)
        }
        let (body, next) = merged.page
        return page.answer(body, path: request.route.pattern, next: next)
    }

    /// `GET /admin/api/dead-letters/{service}/{id}`.
    func get(_ request: GatewayRequest) async throws -> GatewayAnswer {
        try await perform(.get, request)
    }

    /// `POST /admin/api/dead-letters/{service}/{id}/redrive`.
    func redrive(_ request: GatewayRequest) async throws -> GatewayAnswer {
        try await perform(.redrive, request)
    }

    /// `POST /admin/api/dead-letters/{service}/{id}/discard`: the body says why.
    func discard(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let root = try JSONBody.object(of: request, limit: limit).root
        let reason = root["reason"]?.stringValue ?? ""
        guard !reason.isEmpty, reason.utf8.count <= 1_000, !reason.utf8.contains(0),
            root.members.allSatisfy({ $0.key == "reason" })
        else {
            throw GatewayProblem.invalidContent([
                GatewayProblem.Fault(
                    pointer: "/reason",
                    code: "invalid_reason",
                    Sentence(
                        "The body has a reason of 1 to 1000 bytes and nothing else.",
                        "El cuerpo tiene un motivo (reason) de 1 a 1000 bytes y nada más."
                    )
                )
            ])
        }
        return try await perform(.discard, request, reason: reason)
    }

    private func perform(
        _ operation: RequestType.DeadLetters,
        _ request: GatewayRequest,
        reason: String? = nil
    ) async throws -> GatewayAnswer {
        guard request.parameters.count == 2,
            let service = Self.services.first(where: { $0.rawValue == request.parameters[0] }),
            let id = UUID(uuidString: request.parameters[1])
        else {
            throw GatewayProblem.notFound
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("id", id.lowercased)
        if let reason { writer.member("reason", reason) }
        writer.endObject()
        let type = RequestType.deadLetters(operation, of: service.rawValue)
        return GatewayAnswer(.ok, try await engine.ask(type, writer.bytes, of: service, for: request))
    }

    private static func asked(_ name: String?) throws -> [ServiceName] {
        guard let name else {
            return services
        }
        guard let service = services.first(where: { $0.rawValue == name }) else {
            throw GatewayProblem.invalidParameter("service")
        }
        return [service]
    }
}
