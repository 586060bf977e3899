import Persistence
import Testing

@Suite struct SQLScriptTests {
    private static func texts(_ sql: String) throws -> [String] {
        try SQLScript(sql).statements.map(\.text)
    }

    @Test func splitsAtSemicolonsAndCountsLines() throws {
        let script = try SQLScript("-- first\nSELECT 1;\n\n  /* two */ SELECT\n2 ;;\n;SELECT 3\n-- end\n")
        #expect(script.statements.map(\.line) == [2, 4, 6])
        #expect(script.statements.map(\.text) == ["SELECT 1", "SELECT\n2", "SELECT 3\n-- end"])
        #expect(try SQLScript("").statements.isEmpty)
        #expect(try SQLScript(" ;; -- nothing\n/* at /* all */ */ ;").statements.isEmpty)
    }

    @Test(arguments: [
        "SELECT 'a;b', 'it''s; fine'",
        #"SELECT E'a\';b', e'\\', 'c;d'"#,
        #"SELECT 'ends in \', 'x;y'"#,
        #"SELECT "a;""b;" FROM t"#,
        "SELECT U&'d\\0061;t'",
        "SELECT nice'a;b'",
        "SELECT $$a;b$$, $x$ ; $$ ; $y$ ; $x$",
        "SELECT $1, $2 -- ;\n, a$b$c",
        "SELECT 1 /* ; /* ' */ ; $$ */ + 1 -- it's ;",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; SELECT 1)",
        "SELECT $grün$;$grün$",
        "SELECT 1a$b$, 'x;'",
    ])
    func keepsWhatIsOneStatement(_ sql: String) throws {
        #expect(try Self.texts(sql) == [sql])
        #expect(try Self.texts("\(sql)\n;\(sql)\n;") == [sql, sql])
    }

    @Test func keepsBodiesOfRoutines() throws {
        let body = """
            CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC
            SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; SELECT 2; END
            """
        #expect(try Self.texts("\(body); SELECT 1;") == [body, "SELECT 1"])
        let procedure = "CREATE PROCEDURE p() BEGIN ATOMIC SELECT 1; END"
        #expect(try Self.texts("\(procedure);\(procedure)") == [procedure, procedure])
        #expect(try Self.texts("CREATE TABLE begin (a int); SELECT 1").count == 2)
    }

    @Test(arguments: [
        ("SELECT 1;\nSELECT 'a", 2), ("SELECT \"a", 1), ("\n\nSELECT $q$ $$ $r$", 3), ("/* /* */", 1),
        ("SELECT E'\\'", 1), ("SELECT E'\\", 1), ("CREATE FUNCTION f() BEGIN ATOMIC SELECT 1;", 1),
    ])
    func refusesWhatNeverEnds(_ sql: String, _ line: Int) throws {
        let error = try #require(throws: PersistenceError.self) { try SQLScript(sql) }
        #expect(error.code == .script)
        #expect(error.message.hasPrefix("line \(line): "), "\(error.message)")
    }

    @Test func refusesNUL() {
        #expect(throws: PersistenceError.self) { try SQLScript("SELECT '\0'") }
    }

    @Test(arguments: [
        "BEGIN", "start transaction", "Commit", "END", "ROLLBACK", "abort", "SAVEPOINT a", "RELEASE a",
        "PREPARE TRANSACTION 'x'", "commit;SELECT 1",
    ])
    func refusesTransactionControl(_ sql: String) throws {
        let script = try SQLScript("SELECT 1;\n\(sql)")
        let error = try #require(throws: PersistenceError.self) { try script.requireNoTransactionControl() }
        #expect(error.message.hasPrefix("line 2: "))
    }

    @Test func allowsWordsThatOnlyLookAlike() throws {
        try SQLScript("PREPARE begin AS SELECT 1; SELECT 'commit'; DO $$ BEGIN NULL; END $$")
            .requireNoTransactionControl()
    }
}
