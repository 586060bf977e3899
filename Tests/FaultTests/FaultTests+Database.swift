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
