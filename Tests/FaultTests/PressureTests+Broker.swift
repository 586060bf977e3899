import NIOHTTP1
import TestSupport
import Testing

extension PressureTests {
    /// What makes the broker take no more messages, how it says so, and what ends it.
    struct Alarm: Sendable, CustomTestStringConvertible {
        var raising: [String]
        var reason: String
        var lifting: [String]

        var testDescription: String { reason }

        static let all = [
            Alarm(
                raising: ["set_vm_memory_high_watermark", "0.00001"],
                reason: "low on memory",
                lifting: ["set_vm_memory_high_watermark", "0.4"]
            ),
            Alarm(
                raising: ["set_disk_free_limit", "100000GB"],
                reason: "low on disk",
                lifting: ["set_disk_free_limit", "50MB"]
            ),
        ]
    }

    @Test(arguments: Alarm.all)
    func brokerTakesNoMessages(_ alarm: Alarm) async throws {
        try await installation.showingLogs {
            try await prepare()
            try await installation.broker.control(alarm.raising)
            do {
                try await whileAlarmed(alarm)
                try await installation.broker.control(alarm.lifting)
            } catch {
                _ = try? await installation.broker.control(alarm.lifting)
                throw error
            }
            try await recovers()
            #expect(try await gateway.finding("broker") == nil)
            #expect(try await installation.restartEnded() == [], "no service ends because of an alarm")
        }
    }

    private func whileAlarmed(_ alarm: Alarm) async throws {
        var number = 0
        // The broker says so to those who publish, once it has noticed itself.
        try await eventually("readiness tells of the alarm", within: .seconds(60)) {
            number += 1
            let ids = (0..<50).map { "alarm-\(alarm.reason)-\(number)-\($0)" }
            guard try await installation.postBatch(ids, type: "pressure.alarm") else {
                throw TestSupportError(.commandFailed, "signals are taken although the broker takes none")
            }
            return try await gateway.finding("broker")
        } until: {
            $0 == "noted: the broker takes no messages: \(alarm.reason)"
        }
        #expect(try await gateway.metrics.get("/readyz").status == 200)
        let prefix = "more-\(alarm.reason)"
        try await installation.postBatches(500, of: 50, prefix: prefix, type: "pressure.alarm")
        #expect(try await gateway.metric(Self.waiting) >= 500, "what is taken waits in Postgres")
        let read = try await installation.client().get("/api/runs")
        // It waits for the broker as long as its deadline allows.
        #expect([503, 504].contains(read.status), "\(read.status): \(read.text)")
    }
}
