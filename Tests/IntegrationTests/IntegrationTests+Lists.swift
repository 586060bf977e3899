import Contracts
import Domain
import Foundation
import JSON
import Persistence
import TestSupport
import Testing

extension IntegrationTests {
    @Test func runsAreListedByTheTimeOfTheirCreation() async throws {
        let key = Self.unique("times")
        try await installation.automate(key, on: "times.\(key)")
        var runs: [String] = []
        for number in 0..<4 {
            let receipt = try await installation.post(id: "\(key)-\(number)", type: "times.\(key)")
            let run = decision(key, in: try await processed(receipt.signalID))?["run_id"]?.stringValue
            runs.append(try #require(run))
        }
        let times = try runs.map { run in
            let id = try #require(UUID(uuidString: run))
            return Timestamp(microseconds: Int64(try #require(UUIDv7.milliseconds(of: id))) * 1_000).description
        }
        func list(_ query: String) async throws -> [String] {
            let page = try await installation.read("/api/runs?automation_key=\(key)&\(query)")
            return page["items"]?.arrayValue?.compactMap { $0["run_id"]?.stringValue } ?? []
        }
        #expect(try await list("from=\(times[0])") == runs.reversed())
        #expect(try await list("from=\(times[1])&until=\(times[3])") == [runs[2], runs[1]])
        #expect(try await list("until=\(times[1])&status=succeeded") == [runs[0]])
        #expect(try await list("from=\(times[3].replacing("000Z", with: "001Z"))") == [])
        #expect(try await list("from=\(times[3])&until=\(times[0])") == [])

        // The next page keeps the bounds.
        let first = try await installation.client().get("/api/runs/recent?from=\(times[1])&until=\(times[3])&limit=1")
        let link = try #require(first.header("Link")?.dropFirst().prefix { $0 != ">" })
        #expect(link.hasPrefix("/api/runs/recent?"))
        let second = try await installation.read(String(link))
        #expect(second["items"]?.arrayValue?.compactMap { $0["run_id"]?.stringValue } == [runs[1]])
        #expect(second["next"] == .null)
    }

    @Test func signalsAreListedByTheirStatus() async throws {
        let family = Self.unique("stages")
        func list(_ status: String) async throws -> [JSONValue] {
            let page = try await installation.read("/api/signals?type=\(family).*&status=\(status)")
            #expect(page["next"] == .null)
            return page["items"]?.arrayValue ?? []
        }
        func ids(_ items: [JSONValue]) -> [String] { items.compactMap { $0["id"]?.stringValue } }

        let done = try await installation.post(id: "\(family)-1", type: "\(family).a")
        _ = try await processed(done.signalID)
        #expect(ids(try await list("processed")) == ["\(family)-1"])
        #expect(try await list("published") == [])
        #expect(try await list("accepted") == [])

        // The engines can read and answer, and can take no signal.
        try await installation.sql.withTransaction { transaction in
            try await transaction.execute(.simple("LOCK TABLE engine.inbox IN EXCLUSIVE MODE"))
            try await installation.post(id: "\(family)-2", type: "\(family).b")
            let waiting = try await eventually("the broker has confirmed the signal") {
                try await list("published")
            } until: {
                !$0.isEmpty
            }
            #expect(ids(waiting) == ["\(family)-2"])
            #expect(waiting.allSatisfy { $0["status"]?.stringValue == "published" })
            #expect(ids(try await list("processed")) == ["\(family)-1"])
            #expect(try await list("accepted") == [])
        }
        let all = try await eventually("both are processed") {
            try await list("processed")
        } until: {
            $0.count == 2
        }
        #expect(ids(all) == ["\(family)-2", "\(family)-1"])
    }
}
