import Testing

@testable import PostgreSQL

@Suite struct PostgresConfigurationTests {
    @Test func aFullURLIsRead() throws {
        let configuration = try PostgresConfiguration(
            url: "postgresql://us%40er:p%3Aw@h1:5433,[2001:db8::1],h3/da%20ta?sslmode=verify-full"
                + "&sslrootcert=/ca.pem&target_session_attrs=read-write&application_name=x&connect_timeout=7"
                + "&search_path=engine&channel_binding=require"
        )
        #expect(configuration.hosts == [.init("h1", port: 5433), .init("2001:db8::1"), .init("h3")])
        #expect(configuration.user == "us@er")
        #expect(configuration.password == "p:w")
        #expect(configuration.database == "da ta")
        #expect(configuration.tls == .verifyFull(caFile: "/ca.pem"))
        #expect(configuration.targetSessionAttributes == .readWrite)
        #expect(configuration.connectTimeout == .seconds(7))
        #expect(configuration.sessionSettings == ["search_path": "engine"])
        #expect(configuration.requiresChannelBinding)
        let parameters = Dictionary(
            uniqueKeysWithValues: configuration.connectionParameters().map { ($0.keyword, $0.value) }
        )
        #expect(parameters["host"] == "h1,2001:db8::1,h3")
        #expect(parameters["port"] == "5433,5432,5432")
        #expect(parameters["sslmode"] == "verify-full")
        #expect(parameters["options"]?.contains("-c search_path=engine") == true)
    }

    @Test func settingsAreEscaped() {
        var configuration = PostgresConfiguration()
        configuration.sessionSettings["search_path"] = #"a b\c"#
        let options = configuration.connectionParameters().first { $0.keyword == "options" }?.value
        #expect(options?.contains(#"-c search_path=a\ b\\c"#) == true)
    }

    @Test(arguments: [
        "", "mysql://h/d", "postgres://", "postgres://h:0/d?sslmode=disable", "postgres://h:x/d?sslmode=disable",
        "postgres://far/d", "postgres://localhost/d?sslmode=require", "postgres://localhost/d?sslmode=verify-full",
        "postgres://localhost/d?nonsense=1", "postgres://localhost/d?sslmode", "postgres://u%zz@localhost/d",
        "postgres://localhost,/d", "postgres://localhost/d?target_session_attrs=standby",
        "postgres://[::1/d", "postgres://u%ff@localhost/d", "postgres://localhost/d?connect_timeout=-1",
    ])
    func unusableURLsAreRefused(url: String) {
        #expect {
            try PostgresConfiguration(url: url)
        } throws: { error in
            (error as? PostgresError)?.code == .configuration
        }
    }

    @Test func theErrorDoesNotShowThePassword() {
        #expect {
            try PostgresConfiguration(url: "postgres://u:s3cret@h:99999/d")
        } throws: { error in
            !"\(error)".contains("s3cret")
        }
    }

    @Test func unusableBoundsAreRefused() {
        var configuration = PostgresConfiguration()
        configuration.pool.minimum = 9
        #expect(throws: PostgresError.self) { try configuration.validate() }
        configuration = PostgresConfiguration()
        configuration.hosts = []
        #expect(throws: PostgresError.self) { try configuration.validate() }
        configuration = PostgresConfiguration(password: "a\0b")
        #expect(throws: PostgresError.self) { try configuration.validate() }
    }

    @Test func retryableIsAPropertyOfTheCode() {
        for state in ["40001", "40P01", "55P03", "57P01", "57P02", "57P03", "08006"] {
            #expect(PostgresError(.server, "", sqlState: state).isRetryable, "\(state)")
        }
        for state in ["23505", "53100", "42P01", "57014", "22021"] {
            #expect(!PostgresError(.server, "", sqlState: state).isRetryable, "\(state)")
        }
        #expect(PostgresError(.server, "", sqlState: "53100").isResourceExhausted)
        #expect(PostgresError(.connectionLost, "").isRetryable)
        #expect(!PostgresError(.commitOutcomeUnknown, "").isRetryable)
        #expect(!PostgresError(.commitOutcomeUnknown, "", sqlState: "57P01").isRetryable)
    }
}
