import Foundation
import JSON
import Persistence
import TestSupport
import Testing

extension IntegrationTests {
    @Test func everyServiceTellsHowItIs() async throws {
        for replica in installation.all {
            let alive = try await replica.metrics.get("/livez")
            #expect(alive.status == 200, "\(replica.name)")
            let ready = try await replica.metrics.get("/readyz")
            #expect(ready.status == 200, "\(replica.name): \(ready.text)")
            let metrics = try await replica.metrics.get("/metrics")
            #expect(metrics.status == 200, "\(replica.name)")
            #expect(metrics.header("Content-Type")?.hasPrefix("text/plain") == true)
            #expect(metrics.text.contains("# TYPE "), "\(replica.name): \(metrics.text)")
            #expect(try await replica.metrics.get("/nothing").status == 404, "\(replica.name)")
        }
    }

    @Test func whatWasDoneIsCounted() async throws {
        let key = Self.unique("counted")
        try await installation.automate(key, on: "counted.\(key)")
        let name = "batuta_signals_accepted_total"
        let before = try await counter(name, of: .gateway)
        for number in 0..<5 {
            let receipt = try await installation.post(
                id: "\(key)-\(number)",
                type: "counted.\(key)",
                gateway: number % 2
            )
            _ = try await processed(receipt.signalID)
        }
        #expect(try await counter(name, of: .gateway) == before + 5)
        #expect(try await counter("batuta_http_requests_total", of: .gateway) > 0)
    }

    @Test(arguments: [SystemService.gateway, .engine, .auditWriter])
    func stopsWithoutAnErrorUnderLoad(_ service: SystemService) async throws {
        let key = Self.unique("stop")
        try await installation.automate(key, on: "\(key).*")
        let refusals = installation.history.retried
        let load = SignalLoad(installation, prefix: key, types: ["\(key).one", "\(key).two"], pause: .milliseconds(5))
        try await installation.showingLogs {
            try await load.during { running in
                try await running.acknowledges(50)
                for replica in installation.replicas(of: service) {
                    #expect(try await replica.terminate() == 0, "\(replica.name)")
                    try await running.acknowledges(50)
                    try await replica.start()
                    try await running.acknowledges(50)
                }
            }
            try await Invariants(installation).hold()
        }
        #expect(installation.history.unknown.isEmpty)
        // A connection that a stopped replica no longer takes, or has closed before anything was written to it, is what a
        // load balancer sees and no client's error. A request that was sent and got no answer would be one.
        let lost = installation.history.retried.filter { reason, count in
            count > refusals[reason, default: 0] && !["503", "429"].contains(reason)
                && !reason.localizedCaseInsensitiveContains("refused")
                && !reason.contains("I/O on closed channel")
        }
        #expect(lost.isEmpty, "a stop is not seen by clients, but for 503")
    }

    @Test(arguments: [SystemService.gateway, .engine, .auditWriter, .scheduler, .jobController])
    func refusesAnOlderSchema(_ service: SystemService) async throws {
        let schema = try #require(service.schema).name
        try await withEmptyDatabase { database, sql in
            let missing = try await end(of: service, on: database)
            #expect(missing.status != 0)
            #expect(missing.log.contains("run `batuta migrate`"), "\(missing.log)")
            #expect(missing.log.contains("the schema \(schema) does not exist in this database"), "\(missing.log)")
            for statement in [
                "CREATE SCHEMA \(schema)",
                "CREATE TABLE \(schema).schema_migrations AS SELECT 1 AS version, NULL::integer AS incompatible_below",
                "GRANT USAGE ON SCHEMA \(schema) TO batuta_\(schema)",
                "GRANT SELECT ON \(schema).schema_migrations TO batuta_\(schema)",
            ] {
                try await sql.execute(PostgresStatement(statement))
            }
            let old = try await end(of: service, on: database)
            #expect(old.status != 0)
            #expect(old.log.contains("the schema \(schema) is at version 1 and this release needs"), "\(old.log)")
        }
    }

    @Test func everythingHolds() async throws {
        try await installation.showingLogs {
            try await Invariants(installation).hold()
        }
    }

    // MARK: - What the tests share

    /// Starts a service against another database, and waits for its end.
    private func end(of service: SystemService, on database: String) async throws -> (status: Int32, log: String) {
        let schema = try #require(service.schema)
        let postgres = try ServerAddress(installation.servers.postgres).authority
        let user = "\(schema.role):\(TestPasswords.database(schema))"
        let process = try installation.replica(service).launchBeside(
            ["BATUTA_DATABASE_URL": "postgres://\(user)@\(postgres)/\(database)"]
        )
        let status = try await process.waitForExit(within: .seconds(30))
        return (status, process.log)
    }

    private func withEmptyDatabase(_ body: (String, PostgresClient) async throws -> Void) async throws {
        let name = "batuta_empty_\(UInt32.random(in: .min ... .max))"
        try await installation.sql.execute(.simple("CREATE DATABASE \(name)"))
        do {
            try await installation.withSuperuser(of: name) { try await body(name, $0) }
            try await installation.sql.execute(.simple("DROP DATABASE \(name) WITH (FORCE)"))
        } catch {
            _ = try? await installation.sql.execute(.simple("DROP DATABASE \(name) WITH (FORCE)"))
            throw error
        }
    }
}
