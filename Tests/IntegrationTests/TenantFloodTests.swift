import Foundation
import JSON
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

/// One tenant floods, and another is to notice nothing of it, with the limits that hold by default.
@Suite(
    .serialized,
    .requiresServers,
    .installation(
        "flood",
        [.gateway: 1, .engine: 1, .auditWriter: 1],
        settings: [.gateway: ["BATUTA_INTAKE_WAITING": "20"], .engine: ["BATUTA_ENGINE_EFFECTS": "100"]]
    ),
    .timeLimit(.minutes(5))
)
struct TenantFloodTests {
    let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    @Test func aFloodOfSignalsIsRefusedAndTheOthersAreTaken() async throws {
        let loud = try await installation.addTenant("loud-signals")
        try await installation.automate("calm", on: "calm.*")
        try await installation.showingLogs {
            let statuses = try await whileFlooding(as: loud) { statuses in
                for number in 0..<40 {
                    // Anything but 202 throws.
                    try await installation.post(id: "calm-\(number)", type: "calm.one")
                    try await Task.sleep(for: .milliseconds(50))
                }
                try await eventually("the flood is refused, and not all of it") {
                    statuses.withLock { $0[429] != nil && $0[202] != nil }
                }
            }
            #expect(Set(statuses.keys) == [202, 429], "\(statuses)")
            try await eventually("every signal has its run", within: .seconds(90)) {
                try await installation.count(
                    """
                    SELECT count(*) FROM engine.automation_runs
                    WHERE tenant = '\(Installation.tenant)' AND automation_key = 'calm' AND status = 'succeeded'
                    """
                ) == 40
            }
            let gateway = try installation.replica(.gateway)
            let metrics = try await gateway.metrics.get("/metrics").text
            #expect(metrics.contains(#"batuta_tenant_refusals_total{limit="waiting_share"}"#))
            let lines = gateway.process?.log.split(separator: "\n").filter { $0.contains("a tenant is over its limit") }
            #expect(lines?.first?.contains("loud-signals") == true)
        }
    }

    @Test func aTenantWhoseCallsHangLeavesRoomForOthers() async throws {
        let loud = try await installation.addTenant("loud-calls")
        let gate = RecordingSink.Gate()
        try await RecordingSink.with { call, _ in
            call.path == "/slow" ? .held(gate, 200) : .answer(200)
        } _: { sink in
            try await automate("slow", calling: "\(sink.url)/slow", as: installation.client(token: loud))
            try await automate("fast", calling: "\(sink.url)/fast", as: installation.client())
            let batch = try await installation.client(token: loud)
                .post("/api/signals", json: Self.batch(300, "slow"), headers: Self.batched)
            #expect(batch.status == 202, "\(batch.text)")
            // Three quarters, and more than a client would open connections to one host by itself.
            try await eventually("the tenant has its share") { sink.calls.count { $0.path == "/slow" } == 75 }
            for number in 0..<20 { try await installation.post(id: "fast-\(number)", type: "fast.one") }
            try await eventually("the other's runs are done", within: .seconds(60)) {
                try await succeeded("fast") == 20
            }
            #expect(sink.calls.count { $0.path == "/slow" } == 75)
            #expect(try await succeeded("slow") == 0)
            let metrics = try await installation.replica(.engine).metrics.get("/metrics").text
            #expect(metrics.contains(#"batuta_engine_runs_put_off_total{limit="tenant_share"}"#))
            gate.open()
            try await eventually("all of its runs are done in the end", within: .seconds(90)) {
                try await succeeded("slow") == 300
            }
            #expect(sink.calls.count { $0.path == "/slow" } == 300)
        }
        try await Invariants(installation).hold()
    }

    // MARK: - What the tests share

    private static let batched = ["Content-Type": "application/cloudevents-batch+json"]

    private static func batch(_ count: Int, _ word: String) -> String {
        let run = UInt32.random(in: .min ... .max)
        let events = (0..<count).map {
            #"{"specversion":"1.0","id":"\#(run)-\#($0)","source":"/flood","type":"\#(word).one"}"#
        }
        return "[\(events.joined(separator: ","))]"
    }

    /// Posts batches on many connections for as long as the body runs; answers how often each status was seen.
    private func whileFlooding(
        as token: String,
        _ body: (borrowing Mutex<[Int: Int]>) async throws -> Void
    ) async throws -> [Int: Int] {
        let client = try installation.replica(.gateway)
            .client(headers: ["Authorization": "Bearer \(token)"], on: TestConnections.many)
        let flood = Flood()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    while !flood.isOver.load(ordering: .relaxed) {
                        let answer = try await client.post(
                            "/api/signals",
                            json: Self.batch(10, "flood"),
                            headers: Self.batched
                        )
                        flood.statuses.withLock { $0[answer.status, default: 0] += 1 }
                        // The intake is to be full, not the machine that other suites run on.
                        try await Task.sleep(for: .milliseconds(10))
                    }
                }
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(flood.statuses)) } catch { result = .failure(error) }
            flood.isOver.store(true, ordering: .relaxed)
            try await group.waitForAll()
            try result.get()
        }
        return flood.statuses.withLock { $0 }
    }

    private final class Flood: Sendable {
        let isOver = Atomic(false)
        let statuses = Mutex<[Int: Int]>([:])
    }

    private func automate(_ key: String, calling url: String, as client: HTTPTestClient) async throws {
        let created = try await client.post(
            "/admin/api/automations",
            json: """
                {"automation_key":"\(key)","name":"\(key)","definition":{"trigger":{"signalType":"\(key).*"},"steps":[
                    {"name":"call","action_key":"http.request","timeout":"300s","input":{"url":"\(url)"}}]}}
                """
        )
        #expect(created.status == 201, "\(created.text)")
        #expect(try await client.send(.POST, "/admin/api/automations/\(key)/activate").status == 200)
    }

    private func succeeded(_ key: String) async throws -> Int {
        try await installation.count(
            "SELECT count(*) FROM engine.automation_runs WHERE automation_key = '\(key)' AND status = 'succeeded'"
        )
    }
}
