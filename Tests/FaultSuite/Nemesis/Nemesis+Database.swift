import Glibc
import Persistence
import TestSupport

extension Nemesis {
    func beginWithDatabase(_ entry: FaultSchedule.Entry) async throws -> Undo? {
        switch entry.fault {
        case .endSessions:
            try await endSessions(for: entry.lasting)
            return nil
        case .restartDatabase:
            try await servers.restartDatabase()
        case .killDatabase:
            try await servers.killDatabase()
            return { try await servers.startDatabase() }
        case .killBackend:
            try await killBackend()
        case .lockTable(let table):
            try await lock(table, for: entry.lasting)
            return nil
        case .exhaustConnections:
            try await limitConnections(to: 3)
            _ = try? await installation.count(Self.endings(share: 1))
            return { try await limitConnections(to: -1) }
        case .failOver:
            try await servers.killDatabase()
            try await servers.promote()
            return { try await servers.rejoin() }
        case .failOverLate:
            try await servers.stopStandby()
            return {
                try await servers.killDatabase()
                try await servers.promote()
                try await servers.rejoin()
            }
        case .stopStandby:
            try await servers.stopStandby()
            return { try await servers.startStandby() }
        default:
            break
        }
        return {}
    }

    /// Ends half of the services' sessions, again and again, as long as the fault lasts.
    private func endSessions(for lasting: Duration) async throws {
        let end = ContinuousClock.now + lasting
        while ContinuousClock.now < end {
            _ = try await installation.count(Self.endings(share: 0.5))
            try await Task.sleep(for: .milliseconds(400))
        }
    }

    /// Ends a share of the services' sessions; answers how many.
    private static func endings(share: Double) -> String {
        """
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND starts_with(usename, 'batuta_') AND random() < \(share)
        """
    }

    /// Kills one backend of a service, after which the server restarts itself.
    private func killBackend() async throws {
        let pid = try await installation.count(
            """
            SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND starts_with(usename, 'batuta_') ORDER BY random() LIMIT 1
            """
        )
        guard pid > 1 else { return }
        _ = Glibc.kill(pid_t(pid), SIGKILL)
        try await eventually("the database takes connections again", within: .seconds(60), every: .milliseconds(100)) {
            try await installation.count("SELECT 1") == 1
        }
    }

    private func lock(_ table: String, for lasting: Duration) async throws {
        do {
            try await installation.sql.withTransaction { transaction in
                try await transaction.execute(.simple("LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE"))
                journal.note("\(table) is locked")
                try await Task.sleep(for: lasting)
            }
        } catch let error as PostgresError {
            // Under load the lock may not be had within its limit; what waited behind it has waited all the same.
            journal.note("\(table) was not locked: \(error)")
        }
    }

    private func limitConnections(to number: Int) async throws {
        try await eventually("the limit of connections is \(number)", within: .seconds(60), every: .milliseconds(100)) {
            try await installation.sql.execute(
                .simple("ALTER DATABASE \(installation.database) CONNECTION LIMIT \(number)")
            )
            return true
        }
    }
}
