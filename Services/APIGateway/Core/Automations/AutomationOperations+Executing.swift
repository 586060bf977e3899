import Contracts
import Domain
import HTTPTypes
import JSON

extension AutomationOperations {
    /// How long an execution is waited for before its run is left to be asked about.
    private static let patience = Duration.seconds(10)
    /// The longest wait between two looks at the run; the first one is a 16th of it.
    private static let longestPause = Duration.milliseconds(320)

    /// `POST /admin/api/automations/{id}/execute`: 200 with the run once it has ended, 202 where that takes long.
    func execute(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let body = try JSONBody.object(of: request, limit: limit)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation", try Self.automation(request))
        writer.key("body")
        writer.raw(body.root.rawBytes)
        writer.endObject()
        let limit = ContinuousClock.now + Self.patience
        let begun = try await engine.ask(
            RequestType.engineAutomationsExecute,
            writer.bytes,
            for: request,
            idempotencyKey: try request.idempotencyKey()
        )
        guard let id = try engine.document(of: begun).root["run_id"]?.stringValue else {
            throw GatewayProblem(.internalError)
        }
        var pause = Self.longestPause / 16
        while true {
            let run = try await self.run(id, for: request)
            let status = try engine.document(of: run).root["status"]?.stringValue.flatMap(RunStatus.init(rawValue:))
            if status?.isFinal ?? false {
                return GatewayAnswer(.ok, run)
            }
            // What waits for a person does not end by itself.
            guard status != .unknown, ContinuousClock.now + pause < limit else {
                return GatewayAnswer(.accepted, run, headers: [(.location, "\(Route.listRuns.pattern)/\(id)")])
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func run(_ id: String, for request: GatewayRequest) async throws -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", id)
        writer.endObject()
        return try await engine.ask(RequestType.engineRunsGet, writer.bytes, for: request)
    }
}
