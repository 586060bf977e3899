import Domain
import Foundation
import JSON
import NIOHTTP1
import Persistence
import TestSupport
import Testing

@testable import APIGatewayCore

@Suite(.requiresServers, .timeLimit(.minutes(2)))
struct SignalListTests {
    @Test func signalsAreListedNewestFirstInPages() async throws {
        try await TestGateway.with { test in
            let client = test.client()
            let types = ["a", "a.b", "a.b.c", "a.c", "ab", "a-b", "a/b"]
            for (index, type) in types.enumerated() {
                let body = #"{"type":"\#(type)","id":"\#(index)","source":"/s\#(index % 2)"}"#
                #expect(try await client.post("/api/signals", json: body).status == 202)
            }
            func list(_ query: String) async throws -> [String] {
                let answer = try await client.get("/api/signals?\(query)")
                #expect(answer.status == 200, "\(answer.text)")
                return try #require(try JSONValue(parsing: answer.body)["items"]?.arrayValue)
                    .compactMap { $0["type"]?.stringValue }
            }
            #expect(try await list("") == types.reversed())
            #expect(try await list("type=a.b") == ["a.b"])
            #expect(try await list("type=a.*") == ["a.c", "a.b.c", "a.b"])
            #expect(try await list("source=/s1") == ["a-b", "a.c", "a.b"])
            #expect(try await list("type=a.*&source=/s0") == ["a.b.c"])
            #expect(try await list("from=2020-01-01T00:00:00%2B01:00") == types.reversed())
            #expect(try await list("since=2020-01-01T00:00:00%2B01:00") == types.reversed())
            #expect(try await list("until=2020-01-01T00:00:00Z") == [])
            #expect(try await list("since=2999-01-01T00:00:00Z") == [])

            var pages: [[String]] = []
            var path: String? = "/api/signals?type=a.*&limit=2"
            while let next = path {
                let answer = try await client.get(next)
                pages.append(
                    try JSONValue(parsing: answer.body)["items"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
                )
                path = answer.headers.first(name: "Link")?.split(separator: ">").first.map { String($0.dropFirst()) }
            }
            #expect(pages == [["3", "2"], ["1"]])
            for query in [
                "type=", "from=yesterday", "since=yesterday", "until=2026-01-01", "cursor=x", "limit=0", "source=",
                "status=done",
            ] {
                #expect(try await client.get("/api/signals?\(query)").status == 400, "\(query)")
            }
            let sender = try await client.post("/admin/api/tokens", json: #"{"name":"s","role":"sender"}"#)
            let refused = try await test.client(token: try test.member("token", of: sender)).get("/api/signals")
            #expect(refused.status == 403)
        }
    }

    /// No broker is here: nothing is confirmed until the watermark says so.
    @Test func whatTheBrokerHasConfirmedIsReadFromTheLanes() async throws {
        try await TestGateway.with { test in
            let answers = await test.post(["a", "b", "c"])
            let ids = answers.compactMap { $0.signalID.flatMap { UUID(uuidString: $0) } }
            try #require(ids.count == 3)
            let repository = SignalRepository(database: test.database)
            func unconfirmed(_ ids: [UUID], of tenant: Tenant) async throws -> Set<UUID> {
                try await repository.unconfirmed(ids, of: tenant, deadline: .now + .seconds(10))
            }
            let acme = try TestGateway.tenant()
            #expect(try await unconfirmed(ids, of: acme) == Set(ids))
            #expect(try await unconfirmed([ids[1], UUIDv7.make()], of: acme) == [ids[1]])
            #expect(try await unconfirmed(ids, of: try #require(Tenant("other"))) == [])
            #expect(try await unconfirmed([], of: acme) == [])
            try await test.storage.executeAsSuperuser("UPDATE gateway.lanes SET signals_confirmed = signals_last")
            #expect(try await unconfirmed(ids, of: acme) == [])
        }
    }
}
