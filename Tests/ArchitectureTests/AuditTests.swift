import Foundation
import Testing

/// Holds the sources to law 5: no change without an audit entry, written in the same transaction.
///
/// A statement that writes what users see is a `ChangeStatement`, which only `LaneGroup.change` executes, and that rolls back
/// what names no entry. What is left to hold here: that such a statement is made as one, and that no other transaction takes
/// its place.
@Suite("No change without an audit entry")
struct AuditTests {
    /// The tables of what users see and somebody changes; `*` stands for every schema.
    private static let audited: Set<String> = [
        "engine.automations", "engine.automation_versions", "engine.automation_states", "engine.automation_actions",
        "engine.actions", "engine.secrets", "gateway.tenants", "gateway.api_tokens", "gateway.hooks", "gateway.replays",
        "*.dead_letters",
    ]

    /// Of these tables not every write is a change that somebody makes: only one that makes a row, or sets this column.
    ///
    /// How far a replay has come is told by the entry of its end. A message is put away because it could not be processed,
    /// and claimed so that two do not process it; what operators decide about it is its state.
    private static let decisive: [String: (column: String, isAuditedWhenMade: Bool)] = [
        "gateway.replays": ("status", true), "*.dead_letters": ("state", false),
    ]

    /// The tables whose rows are written without an entry of their own, by the reason why.
    private static let unaudited: [String: Set<String>] = [
        "a signal's proof is its run": [
            "gateway.signals", "gateway.signal_keys", "engine.inbox", "engine.signals", "engine.signal_emissions",
            "engine.automation_dedup", "engine.automation_skips", "engine.awaited_signals", "engine.wait_shapes",
        ],
        "the progress of a run is sealed by the entry of its end, and what a person decides is a change": [
            "engine.automation_runs", "engine.automation_run_steps", "engine.step_attempts", "engine.step_waits",
            "engine.timers", "engine.admissions", "engine.gates", "engine.rate_starts",
        ],
        "a number that goes with changes": ["engine.registry_generation", "gateway.identity_generation"],
        "how entries and messages travel": ["*.instances", "*.lanes", "*.outbox"],
        "the answer that a repeated request gets": ["*.requests"],
        "what was migrated": ["*.schema_migrations"],
    ]

    /// The files that name the tables they write nowhere, and what they do.
    private static let anyTable = [
        "Shared/ServiceBase/SealedColumn.swift": "seals secrets under another key, which nobody sees",
        "Shared/ServiceBase/Retention/RowRetention.swift": "takes away what is older than its retention",
    ]

    /// The files with transactions that change nothing that users see, and what they do.
    private static let unauditedTransactions = [
        "Services/APIGateway/Core/Signals/SignalIntake.swift": "accepts signals",
        "Services/APIGateway/Core/Replays/ReplayWorker.swift": "sends signals once more",
        "Services/AutomationEngine/Core/Runs/Driving/RunCommitter.swift": "stores how far runs have come",
        "Services/AutomationEngine/Core/Effects/ActionAnswerIntake.swift": "brings answers to the steps that wait",
    ]

    private let sources: [SourceTree.File]

    init() throws {
        sources = try SourceTree.current.get().files.filter { $0.folders.first != "Tests" }
    }

    @Test("every table of the migrations is audited, or it is said why not")
    func tables() throws {
        let tables = try Self.tables()
        #expect(tables.contains("engine.automations") && tables.contains("*.dead_letters"))
        for table in tables where !table.hasPrefix("audit.") {
            let places = [Self.audited.contains(table)] + Self.unaudited.values.map { $0.contains(table) }
            #expect(places.count { $0 } == 1, "\(table) has no place, or more than one, in the lists of this test.")
        }
    }

    @Test("a statement that writes what users see is a ChangeStatement")
    func statements() {
        var count = 0
        for file in sources {
            for write in SourceWrite.all(in: file) {
                guard let table = write.table else {
                    #expect(Self.anyTable[file.path] != nil, "\(file.path) writes a table that it does not name.")
                    continue
                }
                guard Self.isAudited(table, write) else {
                    #expect(Self.isKnown(table), "\(file.path): \(table) has no place in the lists of this test.")
                    continue
                }
                count += 1
                #expect(write.isChangeStatement, "\(file.path) writes \(table) by a statement that needs no entry.")
            }
        }
        #expect(count > 20, "the writes are found, so that the rule has something to hold")
    }

    @Test("whatever changes what users see is a change: no other transaction is begun but for what is said here")
    func transactions() {
        let files = sources.filter { file in
            !file.path.hasPrefix("Shared/Messaging/") && file.lines.contains { $0.contains(#/\.transaction(\(| \{)/#) }
        }
        #expect(Set(files.map(\.path)) == Set(Self.unauditedTransactions.keys))
    }

    @Test("nothing executes a ChangeStatement but the transaction of a change")
    func execution() {
        let users = sources.filter {
            $0.lines.contains { $0.contains("\\.statement)") || $0.contains("statement.statement") }
        }
        #expect(users.map(\.path) == ["Shared/Messaging/Changes/ChangeTransaction.swift"])
    }

    @Test(
        "a write is seen wherever its statement begins, and whatever it is made as",
        arguments: [
            (#"PostgresStatement("UPDATE engine.actions SET a = 1")"#, ["engine.actions false"]),
            (#"ChangeStatement("UPDATE engine.actions SET a = 1")"#, ["engine.actions true"]),
            ("ChangeStatement(\n\"\"\"\nDELETE FROM\n engine.actions\n\"\"\"", ["engine.actions true"]),
            ("PostgresStatement(\n\"\"\"\nINSERT INTO \\(schema).dead_letters (a)\n\"\"\"", ["*.dead_letters false"]),
            ("ChangeStatement(other)\nlet sql = \"\"\"\nUPDATE engine.secrets SET\n\"\"\"", ["engine.secrets false"]),
            ("ChangeStatement(\"\"\"\nSELECT\n\"\"\")\nlet sql = \"\"\"\nUPDATE a.b\n\"\"\"", ["a.b false"]),
            ("PostgresStatement(\"UPDATE \\(table) AS t SET x = 1\")", ["any false"]),
            ("\"SELECT 1 FOR UPDATE\"\n\"ON CONFLICT DO UPDATE SET a = b.c\"\n// UPDATE a.b\n/// UPDATE a.b", []),
        ]
    )
    func writesAreSeen(text: String, writes: [String]) {
        let found = SourceWrite.all(in: SourceTree.File(path: "x", text: text))
        #expect(found.map { "\($0.table ?? "any") \($0.isChangeStatement)" } == writes)
    }

    // MARK: - What the rules share

    private static func isAudited(_ table: String, _ write: SourceWrite) -> Bool {
        guard let name = audited.first(where: { matches(table, $0) }) else {
            return false
        }
        guard let decisive = decisive[name] else {
            return true
        }
        return write.isInsertion ? decisive.isAuditedWhenMade : write.sets(decisive.column)
    }

    private static func isKnown(_ table: String) -> Bool {
        table.hasPrefix("audit.") || audited.union(unaudited.values.joined()).contains { matches(table, $0) }
    }

    private static func matches(_ table: String, _ name: String) -> Bool {
        table == name || name.hasPrefix("*.") && table.hasSuffix(name.dropFirst())
    }

    /// The tables that the migrations make, by schema and name.
    private static func tables() throws -> Set<String> {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Migrations")
        var tables: Set<String> = []
        for case let path as String in try #require(FileManager.default.enumerator(atPath: root.path))
        where path.hasSuffix(".sql") {
            let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
            for match in text.matches(of: #/CREATE TABLE ({{schema}}|[a-z]+)\.([a-z_]+)/#) {
                tables.insert("\(match.1 == "{{schema}}" ? "*" : match.1).\(match.2)")
            }
        }
        return tables
    }
}

/// A statement of a source that writes a table.
private struct SourceWrite {
    /// The table with its schema, which is `*` where it is the service's own; nil where the source does not name it.
    var table: String?
    var isInsertion: Bool
    /// Whether the text stands in the parentheses of a `ChangeStatement`.
    var isChangeStatement: Bool
    /// The rest of the statement's text.
    private var rest: Substring

    /// Whether it sets a column, by what stands before its condition.
    func sets(_ column: String) -> Bool {
        rest[..<(rest.firstRange(of: "WHERE")?.lowerBound ?? rest.endIndex)].contains("\(column) = ")
    }

    /// The writes of a file.
    static func all(in file: SourceTree.File) -> [SourceWrite] {
        let text = file.lines.filter { !$0.drop(while: \.isWhitespace).hasPrefix("//") }.joined(separator: "\n")
        return text.matches(of: #/(FOR |DO )?\b(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|MERGE INTO)\s+([\w\\.(){}]+)/#)
            .compactMap { match in
                let target = match.3
                guard match.1 == nil, target.contains(".") || target.hasPrefix("\\(") else {
                    return nil
                }
                let after = text[match.range.upperBound...]
                return SourceWrite(
                    table: table(String(target)),
                    isInsertion: match.2 == "INSERT INTO",
                    isChangeStatement: isInChangeStatement(text[..<match.range.lowerBound]),
                    rest: after[..<(after.firstRange(of: "\"\"\"")?.lowerBound ?? after.endIndex)]
                )
            }
    }

    private static func table(_ target: String) -> String? {
        guard target.hasPrefix("\\(") else {
            return String(target.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." })
        }
        // The last parenthesis ends the interpolation; what follows is the name of the table.
        guard let end = target.lastIndex(of: ")"), target[end...].hasPrefix(").") else {
            return nil
        }
        return "*.\(target[target.index(end, offsetBy: 2)...])"
    }

    /// Whether what stands before a write is the beginning of a literal right within `ChangeStatement(`.
    private static func isInChangeStatement(_ before: Substring) -> Bool {
        guard let start = before.ranges(of: "ChangeStatement(").last?.upperBound else {
            return false
        }
        let literal = before[start...].drop(while: \.isWhitespace)
        let quotes = literal.hasPrefix("\"\"\"") ? "\"\"\"" : "\""
        return literal.hasPrefix(quotes) && !literal.dropFirst(quotes.count).contains(quotes)
    }
}
