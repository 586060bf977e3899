import APIGatewayCore
import Domain
import FoundationEssentials
import JSON
import Persistence
import TestSupport
import Testing

extension TestGateway {
    /// What a posted signal was answered.
    struct Posted: Sendable {
        var id: String
        var status: Int
        var signalID: String?
        var isDuplicate = false
    }

    /// A client of the gateway, by default with the admin token.
    func client(token: String? = nil) -> HTTPTestClient {
        HTTPTestClient(
            base: "http://127.0.0.1:\(gateway.server.port ?? 0)",
            headers: ["Authorization": "Bearer \(token ?? adminToken)"]
        )
    }

    /// Posts plain signals with these ids, all at once.
    func post(_ ids: [String], by client: HTTPTestClient? = nil) async -> [Posted] {
        let client = client ?? self.client()
        return await withTaskGroup(of: (Int, Posted).self) { group in
            for (index, id) in ids.enumerated() {
                group.addTask { (index, await Self.post(id, by: client)) }
            }
            var answers: [(Int, Posted)] = []
            for await answer in group {
                answers.append(answer)
            }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static func post(_ id: String, by client: HTTPTestClient) async -> Posted {
        guard let answer = try? await client.post("/api/signals", json: #"{"type":"test.a","id":"\#(id)","data":{}}"#)
        else {
            return Posted(id: id, status: 0)
        }
        let body = try? JSONDocument(parsing: answer.body).root
        return Posted(
            id: id,
            status: answer.status,
            signalID: body?["signal_id"]?.stringValue,
            isDuplicate: body?["duplicate"]?.boolValue ?? false
        )
    }

    /// Expects every acknowledged signal to be stored exactly once, under the id that was answered, and to be published.
    func expectStored(_ answers: [Posted], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let rows = try await database.execute(
            PostgresStatement("SELECT id, signal_id FROM gateway.signals WHERE source = '/api/signals'")
        )
        var stored: [String: [String]] = [:]
        for row in rows {
            stored[try row.decode(0), default: []].append(try row.decode(1, as: UUID.self).lowercased)
        }
        for answer in answers where answer.status == 202 {
            #expect(stored[answer.id] == [answer.signalID ?? ""], sourceLocation: sourceLocation)
        }
        let unpublished = try await number(
            """
            SELECT count(*) FROM gateway.signals s WHERE (
                SELECT count(*) FROM gateway.outbox o WHERE o.epoch = s.epoch AND s.signal_id = ANY (o.items)
            ) <> 1
            """
        )
        #expect(unpublished == 0, sourceLocation: sourceLocation)
    }

    /// The one number that a query answers.
    func number(_ sql: String) async throws -> Int {
        let rows = try await database.execute(PostgresStatement("SELECT coalesce((\(sql)), 0)::bigint"))
        return try #require(try rows.first?.decode(0, as: Int.self))
    }

    /// A text member of an answer.
    func member(_ name: String, of answer: HTTPTestClient.Response) throws -> String {
        try #require(try JSONDocument(parsing: answer.body).root[name]?.stringValue)
    }
}
