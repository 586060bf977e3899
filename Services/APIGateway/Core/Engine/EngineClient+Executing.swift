import Contracts
import Domain
import HTTPTypes
import JSON

extension EngineClient {
    /// How long an execution is waited for before its run is left to be asked about.
    private static let executionPatience = Duration.seconds(10)
    /// The longest wait between two looks at the run; the first one is a 16th of it.
    private static let longestPause = Duration.milliseconds(320)

    /// Asks for an execution by hand, and waits a while for the end of its run.
    ///
    /// - Returns: 200 with the run once it has ended; 202 where that takes long, the run waits for a person, or it cannot be
    ///   asked about now: what has begun is never answered as a failure.
    func execute(_ type: String, _ question: [UInt8], for request: GatewayRequest) async throws -> GatewayAnswer {
        let limit = ContinuousClock.now + Self.executionPatience
        let begun = try await ask(type, question, for: request, idempotencyKey: try request.idempotencyKey())
        guard let id = try document(of: begun).root["run_id"]?.stringValue else {
            throw GatewayProblem(.internalError)
        }
        // What a signal of the same dedupe key has started is not this request's to wait for.
        guard try document(of: begun).root["deduplicated"]?.boolValue != true else {
            return GatewayAnswer(.ok, begun, headers: [(.location, "\(Route.listRuns.pattern)/\(id)")])
        }
        var answer = GatewayAnswer(.accepted, begun, headers: [(.location, "\(Route.listRuns.pattern)/\(id)")])
        var pause = Self.longestPause / 16
        while let run = try? await self.run(id, until: limit, for: request) {
            let status = try document(of: run).root["status"]?.stringValue.flatMap(RunStatus.init(rawValue:))
            if status?.isFinal ?? false {
                return GatewayAnswer(.ok, run)
            }
            answer = GatewayAnswer(.accepted, run, headers: answer.headers)
            // What waits for a person does not end by itself.
            guard status != .unknown, ContinuousClock.now + pause < limit, (try? await Task.sleep(for: pause)) != nil
            else {
                break
            }
            pause = min(pause * 2, Self.longestPause)
        }
        return answer
    }

    private func run(
        _ id: String,
        until limit: ContinuousClock.Instant,
        for request: GatewayRequest
    ) async throws -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", id)
        writer.endObject()
        return try await ask(RequestType.engineRunsGet, writer.bytes, for: request, within: limit - .now)
    }
}
