import Domain
import FoundationEssentials
import JSON
import NIOHTTP1
import Persistence
import TestSupport
import Testing

@testable import APIGatewayCore

@Suite(.requiresServers, .timeLimit(.minutes(2)))
struct SignalIntakeTests {
    @Test func fiveHundredAtOnceAreStoredOnceEachInFewTransactions() async throws {
        try await TestGateway.with { test in
            let answers = await test.post((0..<500).map { "s\($0)" })
            #expect(answers.allSatisfy { $0.status == 202 && !$0.isDuplicate })
            try await test.expectStored(answers)
            let commits = try await test.number("SELECT sum(commits) FROM gateway.lanes")
            #expect(commits < 500, "\(commits) transactions took 500 signals")
            let items = try await test.number(
                "SELECT sum(cardinality(items)) FROM gateway.outbox WHERE items IS NOT NULL"
            )
            #expect(items == 500)
        }
    }

    @Test func repeatsAnswerWithTheFirstOne() async throws {
        try await TestGateway.with { test in
            let answers = await test.post((0..<200).map { "s\($0 % 20)" })
            #expect(answers.allSatisfy { $0.status == 202 })
            #expect(answers.count { !$0.isDuplicate } == 20)
            let ids = Dictionary(grouping: answers, by: \.id).mapValues { Set($0.map(\.signalID)) }
            #expect(ids.count == 20)
            #expect(ids.values.allSatisfy { $0.count == 1 })
            let again = await test.post(["s0"])
            #expect(again.map(\.isDuplicate) == [true])
            #expect(again.map(\.signalID) == [ids["s0"]?.first])
            let stored = try await test.number("SELECT count(*) FROM gateway.signals")
            #expect(stored == 20)
        }
    }

    @Test func aRevokedTokenIsRefusedFromTheAnswerOn() async throws {
        try await TestGateway.with { test in
            let made = try await test.client().post("/admin/api/tokens", json: #"{"name":"s","role":"sender"}"#)
            #expect(made.status == 201)
            let token = try test.member("token", of: made)
            let sender = test.client(token: token)
            #expect(await test.post(["before"], by: sender).map(\.status) == [202])
            async let load = test.post((0..<300).map { "load\($0)" }, by: sender)
            let revoked = try await test.client().send(
                .DELETE,
                "/admin/api/tokens/\(try test.member("token_id", of: made))"
            )
            #expect(revoked.status == 200)
            let after = await test.post((0..<50).map { "after\($0)" }, by: sender)
            #expect(after.allSatisfy { $0.status == 401 })
            let answers = await load
            #expect(answers.allSatisfy { $0.status == 202 || $0.status == 401 })
            try await test.expectStored(answers + after)
        }
    }

    @Test func killedConnectionsLoseNothingThatWasAcknowledged() async throws {
        try await TestGateway.with { test in
            var answers: [TestGateway.Posted] = []
            for round in 0..<5 {
                async let load = test.post((0..<200).map { "r\(round)-\($0)" })
                for _ in 0..<4 {
                    try await test.storage.owner.execute(
                        PostgresStatement(
                            """
                            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                            WHERE datname = $1 AND pid <> pg_backend_pid()
                            """,
                            [.text(test.storage.configuration.database)]
                        )
                    )
                }
                answers += await load
            }
            let statuses = Set(answers.map(\.status))
            #expect(statuses.isSubset(of: [202, 503]) && statuses.contains(202), "\(statuses)")
            try await test.expectStored(answers)
        }
    }

    @Test func aBatchIsCommittedWholeAndInItsOrder() async throws {
        try await TestGateway.with { test in
            let client = test.client()
            let header = ["Content-Type": "application/cloudevents-batch+json"]
            func event(_ id: String, data: Int = 1) -> String {
                #"{"specversion":"1.0","id":"\#(id)","source":"/api/signals","type":"t","data":\#(data)}"#
            }
            let ids = (0..<1_200).map { "e\($0)" } + ["e7"]
            let body = "[\(ids.map { event($0) }.joined(separator: ","))]"
            let answer = try await client.post("/api/signals", json: body, headers: header)
            #expect(answer.status == 202)
            let receipts = try #require(try JSONDocument(parsing: answer.body).root["signals"]).elements.map { $0 }
            #expect(receipts.compactMap { $0["id"]?.stringValue } == ids)
            #expect(receipts.filter { $0["duplicate"]?.boolValue == true }.count == 1)
            #expect(receipts.last?["signal_id"]?.stringValue == receipts[7]["signal_id"]?.stringValue)
            try await test.expectStored(
                receipts.map {
                    TestGateway.Posted(
                        id: $0["id"]?.stringValue ?? "",
                        status: 202,
                        signalID: $0["signal_id"]?.stringValue
                    )
                }
            )
            #expect(try await test.number("SELECT count(*) FROM gateway.signals") == 1_200)
            #expect(try await test.number("SELECT count(DISTINCT epoch) FROM gateway.signals") == 1)

            let bad = "[\(event("new")),{}]"
            let refused = try await client.post("/api/signals", json: bad, headers: header)
            #expect(refused.status == 400)
            #expect(try await test.number("SELECT count(*) FROM gateway.signals") == 1_200)
            let empty = try await client.post("/api/signals", json: "[]", headers: header)
            #expect(empty.status == 202)
            #expect(empty.text == #"{"signals":[]}"#)
            let large = "[\(String(repeating: " ", count: 1 << 20))]"
            #expect(try await client.post("/api/signals", json: large, headers: header).status == 413)
        }
    }
}
