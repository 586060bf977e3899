import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// "What bad input gets"; the table `Refusal.all` has the rest of it.
extension ContractTests {
    @Test(
        "Bad input: all faults of a definition at once, each with its JSON Pointer, in English and Spanish; nothing is stored"
    )
    func badDefinition() async throws {
        let key = Self.unique("faulty")
        let body = """
            {"automation_key":"\(key)","status":"active","definition":{"trigger":{"signalType":"*"},"steps":[
             {"name":"A","action_key":"no.such"},{"action_key":"data.transform","timeout":"10","loop":1}]}}
            """
        let pointers: Set = [
            "/name", "/status", "/definition/trigger/signalType", "/definition/steps/0/name",
            "/definition/steps/0/action_key", "/definition/steps/1/timeout", "/definition/steps/1/loop",
        ]
        var sentences: Set<String> = []
        for language in ["en", "es-AR,en;q=0.5"] {
            let refused = try await ask(.POST, Self.automations, body, headers: ["Accept-Language": language])
            #expect(refused.status == 422 && refused["status"]?.int64Value == 422, "\(refused.text)")
            #expect(Set(refused.pointers) == pointers && refused.pointers.count == pointers.count, "\(refused.text)")
            #expect(refused["type"]?.stringValue == "urn:batuta:problem:\(refused.code ?? "")")
            sentences.insert(refused["detail"]?.stringValue ?? "")
            for error in refused["errors"]?.arrayValue ?? [] {
                #expect(error["code"]?.stringValue?.isEmpty == false && error["detail"]?.stringValue?.isEmpty == false)
            }
        }
        #expect(sentences.count == 2 && !sentences.contains(""))
        #expect(try await stored(key).isEmpty)
    }

    @Test(
        "Bad input: 400 unreadable, 413 too large, 422 invalid, 409 state or key or version, 404 what one may not see; each visible in metrics"
    )
    func badInputCounted() async throws {
        let key = Self.unique("counted")
        let definition = Self.definition(on: key)
        try await create(key, definition)
        let foreigner = try await installation.addTenant(Self.unique("tenant"))
        let path = "\(Self.automations)/\(key)"
        let nested = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        let rows: [(HTTPMethod, String, String, String?, String?, Int)] = [
            (.POST, Self.automations, "/admin/api/automations", "{", nil, 400),
            (.POST, Self.automations, "/admin/api/automations", nested, nil, 400),
            (.POST, Self.automations, "/admin/api/automations", #"{"a":1,"a":2}"#, nil, 400),
            (.POST, Self.automations, "/admin/api/automations", String(repeating: "[", count: 2 << 20), nil, 413),
            (.POST, Self.automations, "/admin/api/automations", "{}", nil, 422),
            (.POST, Self.automations, "/admin/api/automations", Self.body(key, definition), nil, 409),
            (.PUT, path, "/admin/api/automations/{id}", #"{"version":7}"#, nil, 409),
            (.POST, "\(path)/deactivate", "/admin/api/automations/{id}/deactivate", nil, nil, 409),
            (.PUT, path, "/admin/api/automations/{id}", #"{"version":1,"name":"X"}"#, foreigner, 404),
            (.POST, "\(path)/activate", "/admin/api/automations/{id}/activate", nil, foreigner, 404),
            (.POST, "\(path)/execute", "/admin/api/automations/{id}/execute", #"{"mode":"dry_run"}"#, foreigner, 404),
            (.GET, path, "/admin/api/automations/{id}", nil, foreigner, 404),
        ]
        let before = try await stored(key)
        for (method, path, route, body, token, status) in rows {
            let count = try await requests(route, method, status)
            let refused = try await ask(method, path, body, as: token)
            #expect(refused.status == status, "\(method) \(path): \(refused.text)")
            #expect(refused.code?.isEmpty == false && refused["detail"]?.stringValue?.isEmpty == false)
            try await eventually("it is counted") { try await requests(route, method, status) == count + 1 }
        }
        #expect(try await stored(key) == before)
    }

    /// How many requests of a route were answered so.
    private func requests(_ route: String, _ method: HTTPMethod, _ status: Int) async throws -> Int {
        let text = try await installation.replica(.gateway).metrics.get("/metrics").text
        let labels = [#"route="\#(route)""#, #"method="\#(method.rawValue)""#, #"status="\#(status)""#]
        let line = text.split(separator: "\n").first { line in
            line.hasPrefix("batuta_http_requests_total{") && labels.allSatisfy { line.contains($0) }
        }
        return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? 0
    }
}
