import Foundation
import JSON
import NIOHTTP1
import Persistence
import TestSupport
import Testing

/// A whole installation whose connections are encrypted, all of them.
@Suite(.requiresPrivateServers, .timeLimit(.minutes(5)))
struct EncryptedInstallationTests {
    @Test func everyConnectionIsEncryptedAndVerified() async throws {
        try await PrivateServers.with(isEncrypted: true) { servers in
            try await Installation.with(
                "tls",
                on: servers.servers,
                privateServers: servers,
                services: [.gateway: 1, .engine: 1, .auditWriter: 1]
            ) { installation in
                try await installation.showingLogs {
                    try await Self.runASignal(installation)
                    try await Self.expectEncryptedSessions(installation)
                    try await Self.expectRefusals(installation)
                    try await Self.expectClientsToVerify(installation)
                }
            }
        }
    }

    /// A signal over https becomes a run with its entry in the log.
    private static func runASignal(_ installation: Installation) async throws {
        #expect(try installation.replica(.gateway).client().base.hasPrefix("https://localhost:"))
        try await installation.automate("sealed", on: "sealed.*")
        let receipt = try await installation.post(id: "sealed-1", type: "sealed.one")
        try await eventually("the run is done") {
            try await installation.read("/api/runs?signal_id=\(receipt.signalID.uuidString.lowercased())")
        } until: {
            $0["items"]?[0]?["status"]?.stringValue == "succeeded"
        }
        try await eventually("its entry is in the log") {
            try await installation.count(
                "SELECT count(*) FROM audit.entries WHERE convert_from(canonical, 'UTF8') LIKE '%\"run.end\"%'"
            ) == 1
        }
    }

    /// The servers themselves say that nobody talks to them in the clear.
    private static func expectEncryptedSessions(_ installation: Installation) async throws {
        let sessions = try await installation.texts(
            """
            SELECT a.usename || ' ' || bool_and(s.ssl AND s.version >= 'TLSv1.2')
            FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
            WHERE a.usename LIKE 'batuta%' GROUP BY a.usename ORDER BY a.usename
            """
        )
        #expect(sessions == ["batuta_audit true", "batuta_engine true", "batuta_gateway true"])
        let plain = try await installation.count(
            """
            SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
            WHERE a.backend_type = 'client backend' AND NOT s.ssl
            """
        )
        #expect(plain == 0)

        let connections = try await installation.broker.connections()
        #expect(Set(connections.map(\.user)) == ["batuta_audit", "batuta_engine", "batuta_gateway"])
        for connection in connections {
            #expect(connection.isEncrypted && ["tlsv1.2", "tlsv1.3"].contains(connection.version), "\(connection)")
        }
        let listeners = try await installation.broker.listeners()
        #expect(listeners.contains("amqp/ssl") && !listeners.contains("amqp"), "\(listeners)")
    }

    /// One setting of a service that is wrong, and what its log has to say then.
    private struct Fault: Sendable {
        var service: SystemService
        var setting: String
        var value: String
        var sentence: String
        /// Whether the process ends; else it stays and is not ready.
        var endsIt: Bool
    }

    /// No service works with a server that it cannot be sure of.
    private static func expectRefusals(_ installation: Installation) async throws {
        try await TestAuthority.with { stranger in
            let faults = try Self.faults(installation, stranger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Few at a time: each is a process that starts.
                for (number, fault) in faults.enumerated() {
                    if number >= 4 { try await group.next() }
                    group.addTask { try await Self.expect(fault, installation) }
                }
                try await group.waitForAll()
            }
        }
    }

    private static func faults(_ installation: Installation, _ stranger: TestAuthority) throws -> [Fault] {
        let own = try #require(installation.servers.authority).caFile
        return try [SystemService.gateway, .engine, .auditWriter].flatMap { service in
            let settings = try installation.settings(of: service)
            let database = try #require(settings["BATUTA_DATABASE_URL"])
            let broker = try #require(settings["BATUTA_BROKER_URL"])
            func otherName(_ url: String) -> String { url.replacingOccurrences(of: "@localhost:", with: "@127.0.0.1:") }
            func otherAuthority(_ url: String) -> String { url.replacingOccurrences(of: own, with: stranger.caFile) }
            return [
                Fault(
                    service: service,
                    setting: "BATUTA_DATABASE_URL",
                    value: otherName(database),
                    sentence: #"does not match host name \"127.0.0.1\""#,
                    endsIt: true
                ),
                Fault(
                    service: service,
                    setting: "BATUTA_DATABASE_URL",
                    value: otherAuthority(database),
                    sentence: "certificate verify failed",
                    endsIt: true
                ),
                Fault(
                    service: service,
                    setting: "BATUTA_BROKER_URL",
                    value: otherName(broker),
                    sentence: "SSL hostname verification failed",
                    endsIt: false
                ),
                Fault(
                    service: service,
                    setting: "BATUTA_BROKER_URL",
                    value: otherAuthority(broker),
                    sentence: "SSL peer cert verification failed",
                    endsIt: false
                ),
            ]
        }
    }

    private static func expect(_ fault: Fault, _ installation: Installation) async throws {
        let process = try installation.replica(fault.service).launchBeside([fault.setting: fault.value])
        let comment = Comment(rawValue: "\(fault.service) with another \(fault.setting)")
        if fault.endsIt {
            #expect(try await process.waitForExit(within: .seconds(60)) != 0, comment)
            #expect(process.log.contains(fault.sentence), "\(comment): \(process.log)")
        } else {
            let health = HTTPTestClient(base: "http://127.0.0.1:\(process.metricsPort)")
            try await eventually("\(comment) says why it is not ready", within: .seconds(60), every: .milliseconds(100))
            {
                let answer = try await health.get("/readyz")
                return answer.status == 503 && answer.text.contains(fault.sentence)
                    && process.log.contains(fault.sentence)
            }
            try await process.kill()
        }
    }

    /// `batuta` talks to the gateway by its name and under the right authority only.
    private static func expectClientsToVerify(_ installation: Installation) async throws {
        let port = try installation.replica(.gateway).httpPort
        let authority = try #require(installation.servers.authority)
        func send(to host: String, trusting file: String?, id: String) async throws -> (status: Int32, log: String) {
            let process = try ServiceProcess(
                "batuta",
                arguments: ["send", "--type", "sealed.two", "--id", id],
                environment: [
                    "BATUTA_URL": "https://\(host):\(port)", "BATUTA_TOKEN": installation.token,
                    "BATUTA_CA_FILE": file ?? "",
                ]
            )
            return (try await process.waitForExit(within: .seconds(60)), process.log)
        }
        #expect(try await send(to: "localhost", trusting: authority.caFile, id: "cli-1").status == 0)
        try await TestAuthority.with { stranger in
            for (host, file) in [
                ("127.0.0.1", authority.caFile), ("localhost", stranger.caFile), ("localhost", nil),
            ] {
                let refused = try await send(to: host, trusting: file, id: "cli-2")
                // Not 75: the same command fails again.
                #expect(refused.status == 1, "\(refused.log)")
                #expect(refused.log.contains("cannot be trusted"), "\(refused.log)")
            }
        }
        let ids = try await installation.texts("SELECT id FROM gateway.signals WHERE type = 'sealed.two'")
        #expect(ids == ["cli-1"])
    }
}
