import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import JSON

/// Runs, read from the engine.
struct RunOperations: Sendable {
    let engine: EngineClient
    let limit: Int

    /// `GET /api/runs` and `GET /api/runs/recent`, newest first.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        try await engine.list(
            RequestType.engineRunsList,
            for: request,
            defaultLimit: request.route == .listRecentRuns ? 20 : 50,
            restrict: Self.writeFilter
        )
    }

    /// Writes what restricts a list; a problem names the first parameter that is not what it should be.
    private static func writeFilter(_ query: Query, _ writer: inout JSONWriter) throws {
        if let status = query["status"] {
            guard RunStatus(rawValue: status) != nil else {
                throw GatewayProblem.invalidParameter("status")
            }
            writer.member("status", status)
        }
        if let key = query["automation_key"] {
            guard (1...100).contains(key.utf8.count) else {
                throw GatewayProblem.invalidParameter("automation_key")
            }
            writer.member("automation_key", key)
        }
        if let text = query["signal_id"] {
            guard let id = UUID(uuidString: text) else {
                throw GatewayProblem.invalidParameter("signal_id")
            }
            writer.member("signal_id", id.lowercased)
        }
        let created = try TimeRange(query)
        if let from = created.from {
            writer.member("from", from.lowercased)
        }
        if let until = created.until {
            writer.member("until", until.lowercased)
        }
    }

    /// `GET /api/runs/{run_id}`.
    func get(_ request: GatewayRequest) async throws -> GatewayAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", try Self.runID(request))
        writer.endObject()
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineRunsGet, writer.bytes, for: request))
    }

    /// `GET /api/runs/{run_id}/steps/{name}/output`.
    func stepOutput(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let question = try Self.step(of: request) { _ in }
        return GatewayAnswer(.ok, try await engine.ask(RequestType.engineRunsStepOutput, question, for: request))
    }

    /// A question about the step in the path.
    static func step(of request: GatewayRequest, _ more: (inout JSONWriter) throws -> Void) throws -> [UInt8] {
        guard request.parameters.count == 2, request.parameters[1].utf8.count <= 255 else {
            throw GatewayProblem.notFound
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", try runID(request))
        writer.member("step", request.parameters[1])
        try more(&writer)
        writer.endObject()
        return writer.bytes
    }

    static func runID(_ request: GatewayRequest) throws -> String {
        guard let id = request.parameters.first.flatMap({ UUID(uuidString: $0) }) else {
            throw GatewayProblem.notFound
        }
        return id.lowercased
    }
}
