import TestSupport
import Testing

/// A crash point of one service, and the arrival at which the process dies there.
struct Crash: Sendable, CustomTestStringConvertible {
    let service: SystemService
    let point: String
    let arrival: Int

    var testDescription: String { "\(service.rawValue) at \(point)" }

    static let all = [
        Crash(service: .gateway, point: "after_commit_before_publish", arrival: 8),
        Crash(service: .gateway, point: "after_publish_before_watermark", arrival: 8),
        Crash(service: .engine, point: "after_delivery_before_commit", arrival: 8),
        Crash(service: .engine, point: "after_commit_before_publish", arrival: 8),
        Crash(service: .engine, point: "after_commit_before_ack", arrival: 8),
        Crash(service: .engine, point: "after_publish_before_watermark", arrival: 8),
        Crash(service: .auditWriter, point: "after_delivery_before_commit", arrival: 5),
        Crash(service: .auditWriter, point: "in_audit_append", arrival: 5),
        Crash(service: .auditWriter, point: "after_commit_before_ack", arrival: 5),
    ]
}

extension FaultTests {
    @Test(arguments: Crash.all)
    func dies(_ crash: Crash) async throws {
        let replica = try installation.replica(crash.service, 0)
        let others = installation.replicas(of: crash.service).filter { $0.name != replica.name }
        try await underLoad("crash") { load in
            try await replica.terminate()
            // Only one audit-writer consumes at a time; without the others it is this one.
            if crash.service == .auditWriter {
                for other in others { try await other.terminate() }
            }
            try await replica.start(crashingAt: "\(crash.point):\(crash.arrival)")
            try await replica.waitForCrash()
            // The others of its kind work on; a supervisor starts it again.
            if crash.service != .auditWriter { try await load.acknowledges(20) }
            try await installation.restartEnded()
        }
    }

    @Test(arguments: [SystemService.gateway, .engine, .auditWriter])
    func isKilledAtAnyMoment(_ service: SystemService) async throws {
        try await underLoad("kill") { load in
            for replica in installation.replicas(of: service) {
                try await replica.kill()
                try await load.acknowledges(service == .gateway ? 10 : 30)
                try await installation.restartEnded()
            }
        }
    }
}
