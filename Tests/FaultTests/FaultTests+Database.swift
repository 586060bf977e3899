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

    /// The watermark of what is verified cannot be stored for a while, also not when the last message is.
    @Test func verifiedWatermarksAreStoredInTheEnd() async throws {
        try await installation.sql.executeScript(
            """
            CREATE SEQUENCE refused_watermarks;
            CREATE FUNCTION refuse_watermark() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
                -- A sequence keeps what a transaction that is rolled back has counted.
                PERFORM nextval('public.refused_watermarks');
                RAISE EXCEPTION 'not now' USING ERRCODE = '57P01';
            END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON gateway.lanes FOR EACH ROW
            WHEN (NEW.signals_verified > OLD.signals_verified) EXECUTE FUNCTION refuse_watermark();
            """
        )
        func refused() async throws -> Int { try await installation.count("SELECT last_value FROM refused_watermarks") }
        let outcome: Result<Void, any Error>
        do {
            try await automate()
            try await SignalLoad(installation, prefix: "watermark", types: Self.types).during { load in
                try await load.acknowledges(60)
            }
            let before = try await refused()
            try await eventually("the watermark is tried again", within: .seconds(60)) {
                try await refused() > before
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await installation.sql.executeScript(
            """
            DROP TRIGGER refuse ON gateway.lanes;
            DROP FUNCTION refuse_watermark;
            DROP SEQUENCE refused_watermarks;
            """
        )
        try outcome.get()
        try await installation.showingLogs { try await Invariants(installation).hold() }
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
