import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    private func send(
        _ method: HTTPMethod,
        _ path: String,
        _ json: String? = nil,
        ifMatch: String? = nil,
        as client: HTTPTestClient? = nil
    ) async throws -> HTTPTestClient.Response {
        var headers = ["Content-Type": "application/json"]
        headers["If-Match"] = ifMatch
        return try await (client ?? installation.client())
            .send(method, "/admin/api/actions\(path)", headers: headers, body: json.map { Array($0.utf8) } ?? [])
    }

    private static func action(_ url: String, input: String = #"{"type":"object"}"#) -> String {
        """
        {"title":"A","input_schema":\(input),"output_schema":{"type":"object","required":["level"]},
         "simulation":"sample","endpoint":{"http":{"url":"\(url)"}}}
        """
    }

    private func code(_ answer: HTTPTestClient.Response) throws -> String? {
        try JSONValue(parsing: answer.body)["code"]?.stringValue
    }

    /// The registry from outside: every replica of the engine calls a service's action as soon as it is registered, and
    /// none does any more once it is withdrawn.
    @Test("Registry: a customer's service becomes an action, on every replica, until it is withdrawn")
    func aServiceBecomesAnAction() async throws {
        let key = "\(Self.unique("school")).updateNivel"
        try await RecordingSink.with { _, _ in
            .answer(200, body: #"{"level":3}"#)
        } _: { sink in
            let created = try await send(.PUT, "/\(key)", Self.action("\(sink.url)/level"))
            #expect(created.status == 201, "\(created.text)")
            #expect(created.header("Location") == "/admin/api/actions/\(key)")
            let etag = try #require(created.header("ETag"))
            let read = try await send(.GET, "/\(key)")
            #expect(read.status == 200 && read.header("ETag") == etag && read.body == created.body)
            let listed = try await installation.read("/admin/api/actions?limit=200")
            #expect(listed["items"]?.arrayValue?.contains { $0["action_key"]?.stringValue == key } == true)

            #expect(try code(try await send(.PUT, "/\(key)", Self.action(sink.url))) == "precondition_required")
            #expect(
                try code(try await send(.PUT, "/\(key)", Self.action(sink.url), ifMatch: "\"x\""))
                    == "precondition_failed"
            )
            let same = try await send(.PUT, "/\(key)", Self.action("\(sink.url)/level"), ifMatch: etag)
            #expect(same.status == 200 && same.header("ETag") == etag)
            #expect(try code(try await send(.PUT, "/http.mine", Self.action(sink.url))) == "invalid_content")
            #expect(try await send(.GET, "/none.such").status == 404)
            #expect(try await send(.DELETE, "/\(key)?force=perhaps").status == 400)

            try await automate(
                key.lowercased(),
                on: key,
                steps: #"{"name":"level","action_key":"\#(key)","input":{"id":"{{ signal.data.id }}"}}"#
            )
            for number in 1...4 {
                let receipt = try await installation.post(
                    id: "\(key)-\(number)",
                    type: key,
                    data: #"{"id":\#(number)}"#,
                    gateway: number % 2
                )
                let run = try await run(of: receipt.signalID, "succeeded")
                #expect(run["steps"]?[0]?["output"]?["level"]?.int64Value == 3)
                #expect(run["steps"]?[0]?["action_key"]?.stringValue == key)
            }
            #expect(sink.calls.map(\.path) == Array(repeating: "/level", count: 4))

            let strict = Self.action(sink.url, input: #"{"maxProperties":0}"#)
            let unsuited = try await send(.PUT, "/\(key)", strict, ifMatch: etag)
            #expect(unsuited.status == 409 && unsuited.text.contains(key.lowercased()), "\(unsuited.text)")
            let refused = try await send(.DELETE, "/\(key)")
            #expect(refused.status == 409 && refused.text.contains(key.lowercased()), "\(refused.text)")
            #expect(try await send(.DELETE, "/\(key)?force=true").status == 204)
            let automation = try await installation.read("/admin/api/automations/\(key.lowercased())")
            #expect(automation["status"]?.stringValue == "broken")
            #expect(automation["broken_reason"]?.stringValue?.contains(key) == true)
            let late = try await installation.post(id: "\(key)-late", type: key)
            let decision = decision(key.lowercased(), in: try await processed(late.signalID))
            #expect(decision?["outcome"]?.stringValue == "skipped")
            #expect(decision?["reason"]?.stringValue?.contains("broken") == true)
            #expect(sink.calls.count == 4)
        }
    }

    @Test func anActionIsItsTenantsOwn() async throws {
        let key = "\(Self.unique("own")).act"
        #expect(try await send(.PUT, "/\(key)", Self.action("https://x.org/")).status == 201)
        let other = try installation.client(token: try await installation.addTenant(Self.unique("tenant")))
        #expect(try await send(.GET, "/\(key)", as: other).status == 404)
        #expect(try await send(.DELETE, "/\(key)?force=true", as: other).status == 404)
        #expect(try await send(.PUT, "/\(key)", Self.action("https://y.org/"), as: other).status == 201)
        let mine = try await installation.read("/admin/api/actions/\(key)")
        #expect(mine["endpoint"]?["http"]?["url"]?.stringValue == "https://x.org/")
        #expect(try await send(.DELETE, "/\(key)").status == 204)
        #expect(try await send(.GET, "/\(key)", as: other).status == 200)
    }
}
