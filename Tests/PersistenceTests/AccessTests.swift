import Testing

@testable import Persistence

@Suite struct AccessTests {
    @Test func verifierIsThatOfPostgres() throws {
        // Of a Postgres 15: ALTER ROLE … PASSWORD 'pencil'.
        let text =
            "SCRAM-SHA-256$4096:NjCGzMlhkexKvsh3vbemlQ=="
            + "$iAuw7Qe2UMNXQ+jE18WD9OGSNG5snKZoubh7NwRER1A=:gDg0He6tle4/fULjgT6EqZE+1hRyB3J4MoQk99Hfuo4="
        let verifier = try #require(ScramVerifier(text))
        #expect(verifier.matches("pencil"))
        #expect(!verifier.matches("Pencil"))
        #expect(verifier.description == text)
    }

    @Test func verifierIsSalted() throws {
        let one = ScramVerifier(password: "a")
        #expect(one != ScramVerifier(password: "a"))
        #expect(ScramVerifier(one.description) == one)
    }

    @Test(arguments: [
        "", "md5abc", "SCRAM-SHA-256$4096:AA==$AA==", "SCRAM-SHA-256$0:AA==$AA==:AA==",
        "SCRAM-SHA-256$99999999999:AA==$AA==:AA==",
    ])
    func refusesOtherVerifiers(_ text: String) {
        #expect(ScramVerifier(text) == nil)
    }

    @Test func passwordsAreASCII() {
        #expect(ScramVerifier.isUsable("a b~"))
        for password in ["", "ä", "a\n", String(repeating: "a", count: 201)] {
            #expect(!ScramVerifier.isUsable(password))
        }
    }

    @Test func quotes() {
        #expect(SQLText.identifier("a\"b") == "\"a\"\"b\"")
        #expect(SQLText.literal("it's") == "'it''s'")
        #expect(SQLText.literal("a\\'b") == "E'a\\\\''b'")
    }

    @Test func changesAreWhatIsMissing() throws {
        let role = AccessState.Role(
            isRestricted: true,
            isMember: false,
            mayConnect: true,
            hasSearchPath: true,
            verifier: ScramVerifier(password: "secret").description
        )
        var state = AccessState(
            database: "d",
            isDatabaseOpen: false,
            isPublicSchemaOpen: false,
            roles: Dictionary(uniqueKeysWithValues: ServiceSchema.allCases.map { ($0, role) })
        )
        #expect(try state.changes(passwords: [.jobs: "secret"]).isEmpty)
        #expect(try state.changes(passwords: [.jobs: "other"]) == [.setPassword(.jobs)])
        state.roles[.audit] = nil
        state.roles[.jobs]?.isRestricted = false
        state.isDatabaseOpen = true
        #expect(
            try state.changes(passwords: [:])
                == [
                    .restrictRole(.jobs), .createRole(.audit), .setSearchPath(.audit), .grantConnect(.audit),
                    .closeDatabase,
                ]
        )
        state.roles[.engine]?.isMember = true
        #expect(throws: PersistenceError.self) { try state.changes(passwords: [:]) }
    }

    @Test func commandsHoldNoPassword() {
        let verifier = ScramVerifier(password: "hidden").description
        let sql = AccessChange.setPassword(.jobs).sql(database: "x\"y", verifier: verifier)
        #expect(!sql.contains("hidden"))
        #expect(sql == "ALTER ROLE \"batuta_jobs\" PASSWORD '\(verifier)'")
        #expect(AccessChange.closeDatabase.sql(database: "x\"y", verifier: nil).contains("\"x\"\"y\""))
    }
}
