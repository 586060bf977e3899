import Foundation
import Persistence
import TestSupport
import Testing

extension PressureTests {
    @Test func theEngineIsAwayForLong() async throws {
        try await installation.showingLogs {
            try await prepare()
            let gateway = try gateway
            let before = try gateway.privateMegabytes()
            try await eventually("no alarm is left") { try await gateway.finding("outbox") == nil }
            let alarms = occurrences("the outbox grows old", in: gateway.log)
            let recoveries = occurrences("the outbox has recovered", in: gateway.log)
            try await engine.terminate()
            let started = ContinuousClock.now
            try await installation.postBatches(Pressure.backlog, of: 50, prefix: "away", type: "pressure.away")
            let posted = ContinuousClock.now
            #expect(try await gateway.metric(Self.waiting) == Double(Pressure.backlog))
            let sentence = "noted: \(Pressure.backlog) items wait for the consumer of signals"
            try await eventually("the alarm is raised, and readiness tells of it") {
                let finding = try await gateway.finding("outbox")
                return occurrences("the outbox grows old", in: gateway.log) > alarms
                    && finding?.hasPrefix(sentence) == true
            }
            #expect(try await gateway.metric(Self.oldest) > 1)
            #expect(try await gateway.metrics.get("/readyz").status == 200, "signals are taken")

            let depth = try await installation.broker.messageCounts()["engine.signals"] ?? 0
            let (allowed, all) = (try await allowed(), try await unverifiedMessages())
            #expect(allowed < all, "the backlog is longer than the window")
            // The broker counts every few seconds, and the deliveries of the engine that has gone are in the queue too.
            #expect(depth <= allowed + 20, "\(depth) of \(all) messages are in the queue")
            // The checks read all of it at once.
            try await installation.sql.executeScript("ANALYZE")
            let full = try gateway.privateMegabytes()
            #expect(full - before < 100, "from \(before) to \(full) MiB")

            let returned = ContinuousClock.now
            try await engine.start()
            let most = try await watching(gateway, engine) {
                try await Invariants(installation).rest(within: .seconds(600))
            }
            let drained = ContinuousClock.now
            try await installation.sql.executeScript("ANALYZE")
            try await recovers(within: .seconds(600))
            try await eventually("the alarm is over") {
                let finding = try await gateway.finding("outbox")
                return occurrences("the outbox has recovered", in: gateway.log) > recoveries && finding == nil
            }
            let repeated = try await engine.metric(#"batuta_engine_signals_total{outcome="repeated"}"#)
            // A slow broker's confirms may come late for a few windows, and never for all of it.
            #expect(repeated <= Double(Pressure.backlog / 2), "a backlog is not published again")
            #expect(most.gateway - before < 150 && most.engine < 600, "\(most)")
            print(
                "backlog of \(Pressure.backlog): posted in \(posted - started), \(depth) of \(all) messages in the queue,",
                "gateway \(Int(before)) MiB before, \(Int(full)) with the backlog, \(Int(most.gateway)) while it drains;",
                "drained in \(drained - returned), engine up to \(Int(most.engine)) MiB, \(Int(repeated)) repeated"
            )
        }
    }

    /// An engine that takes deliveries and answers questions, and cannot commit.
    @Test func theEngineIsStuck() async throws {
        try await installation.showingLogs {
            try await prepare()
            let engine = try engine
            let before = try engine.privateMegabytes()
            let copies = "the consumer lacks messages"
            let earlier = occurrences(copies, in: try gateway.log)
            try await installation.sql.withTransaction { transaction in
                _ = try await transaction.execute(.simple("SET LOCAL idle_in_transaction_session_timeout = 0"))
                _ = try await transaction.execute(.simple("LOCK TABLE engine.inbox IN SHARE MODE"))
                try await installation.postBatches(6_000, of: 50, prefix: "stuck", type: "pressure.stuck")
                try await eventually("the engine was asked often enough for some copies", within: .seconds(60)) {
                    occurrences(copies, in: try gateway.log) >= earlier + 4
                }
                let depth = try await installation.broker.messageCounts()["engine.signals"] ?? 0
                let allowed = try await allowed()
                #expect(depth <= allowed + 20, "\(depth) messages, of which the window allows \(allowed)")
                let held = try engine.privateMegabytes()
                #expect(held - before < 150, "from \(before) to \(held) MiB")
                print("stuck: \(depth) messages in the queue, engine \(Int(before)) MiB before, \(Int(held)) stuck")
            }
            try await recovers()
        }
    }

    private func occurrences(_ text: String, in log: String) -> Int {
        log.components(separatedBy: text).count - 1
    }

    private func unverifiedMessages() async throws -> Int {
        try await installation.count(
            """
            SELECT count(*) FROM gateway.outbox o JOIN gateway.lanes l USING (epoch)
            WHERE o.destination = 'signals' AND o.last_seq > l.signals_verified
            """
        )
    }

    /// The most memory that two replicas hold while a body runs, in MiB.
    private func watching(
        _ gateway: Replica,
        _ engine: Replica,
        _ body: () async throws -> Void
    ) async throws -> (gateway: Double, engine: Double) {
        try await withThrowingTaskGroup(of: (Double, Double).self) { group in
            group.addTask {
                var most = (0.0, 0.0)
                while !Task.isCancelled {
                    most.0 = max(most.0, (try? gateway.privateMegabytes()) ?? 0)
                    most.1 = max(most.1, (try? engine.privateMegabytes()) ?? 0)
                    try? await Task.sleep(for: .milliseconds(100))
                }
                return most
            }
            defer { group.cancelAll() }
            try await body()
            group.cancelAll()
            return try await group.next() ?? (0, 0)
        }
    }
}
