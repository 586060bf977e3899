import Persistence
import TestSupport
import Testing

extension FaultTests {
    @Test func databaseRestartsAtOnce() async throws {
        try await underLoad("immediate") { load in
            try await #require(installation.privateServers).restartPostgres(.immediate)
            try await load.acknowledges(50)
        }
        #expect(try await installation.restartEnded() == [], "no service ends because its database restarts")
    }

    /// A server that is told to stop waiting for its standby commits all the same, and says so in a warning only.
    @Test func nothingIsAcknowledgedThatTheStandbyLacks() async throws {
        func setStandby(_ name: String) async throws {
            try await installation.sql.execute(.simple("ALTER SYSTEM SET synchronous_standby_names = '\(name)'"))
            try await installation.sql.execute(.simple("SELECT pg_reload_conf()"))
            try await eventually("the standby is “\(name)”") {
                try await installation.texts("SHOW synchronous_standby_names") == [name]
            }
        }
        try await underLoad("standby") { load in
            try await setStandby("nobody")
            let outcome: Result<Void, any Error>
            do {
                let insertion = PostgresStatement("CREATE TABLE lost_with_the_primary (n integer)")
                _ = try await installation.sql.execute(insertion, deadline: .now + .seconds(1))
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            try await setStandby("")
            #expect(throws: PostgresError.self, "the standby has not confirmed it") { try outcome.get() }
            if case .failure(let error as PostgresError) = outcome { #expect(error.code == .commitOutcomeUnknown) }
            #expect(
                try await installation.texts("SELECT to_regclass('lost_with_the_primary')::text").count == 1,
                "it was committed all the same"
            )
            try await installation.sql.execute(.simple("DROP TABLE IF EXISTS lost_with_the_primary"))
            try await load.acknowledges(20)
        }
    }

    @Test func sessionsAreKilledAgainAndAgain() async throws {
        try await underLoad("sessions") { load in
            for _ in 0..<8 {
                let killed = try await installation.count(
                    """
                    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND starts_with(usename, 'batuta_')
                    """
                )
                #expect(killed > 0)
                try await load.acknowledges(15)
            }
        }
        #expect(try await installation.restartEnded() == [], "no service ends because its sessions are killed")
    }
}
