import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Answers `/livez`, `/readyz` and `/metrics`; reads only.
struct HealthResponder: HTTPResponder {
    let health: HealthRegistry
    let metrics: PrometheusRegistry

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        guard ["/livez", "/readyz", "/metrics"].contains(request.uri.path) else {
            return response(.notFound, #"{"status":"not found"}"#, for: request)
        }
        guard request.method == .get || request.method == .head else {
            var refusal = response(.methodNotAllowed, #"{"status":"method not allowed"}"#, for: request)
            refusal.headers[.allow] = "GET, HEAD"
            return refusal
        }
        switch request.uri.path {
        case "/metrics":
            return response(.ok, metrics.exposition(), type: Exposition.contentType, for: request)
        case "/readyz":
            return await readiness(for: request)
        default:
            // Liveness asks only whether the process answers; a dependency that is down is no reason to restart it.
            return response(.ok, #"{"status":"ok"}"#, for: request)
        }
    }

    private func readiness(for request: Request) async -> Response {
        let findings = await health.findings()
        let isReady = findings.allSatisfy(\.state.isOK)
        let isVerbose = request.uri.queryParameters["verbose"] != nil
        let shown = isVerbose ? findings : findings.filter { $0.state != .ok }
        return response(
            isReady ? .ok : .serviceUnavailable,
            Self.report(isReady: isReady, findings: shown),
            for: request
        )
    }

    /// `{"status":…,"checks":[{"name":…,"status":…,"reason":…}]}`; without findings there is no list.
    static func report(isReady: Bool, findings: [HealthFinding]) -> String {
        var report = JSONLine()
        report.begin()
        report.member("status", text: isReady ? "ok" : "unavailable")
        if !findings.isEmpty { report.member("checks", value: .array(findings.map(\.metadata))) }
        report.end()
        return report.text
    }

    private func response(
        _ status: HTTPResponse.Status,
        _ text: String,
        type: String = "application/json",
        for request: Request
    ) -> Response {
        let buffer = ByteBuffer(string: text)
        let body =
            request.method == .head
            ? ResponseBody(contentLength: buffer.readableBytes) { try await $0.finish(nil) }
            : ResponseBody(byteBuffer: buffer)
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: body)
    }
}
