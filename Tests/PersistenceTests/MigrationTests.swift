import Foundation
import Testing

@testable import Persistence

@Suite struct MigrationTests {
    private static func migration(_ path: String, _ text: String = "SELECT 1;") throws -> Migration {
        try Migration(path: path, content: Data(text.utf8))
    }

    @Test func readsNameAndChecksum() throws {
        let migration = try Self.migration("gateway/0012_two_words.sql", "abc")
        #expect(migration.version == 12)
        #expect(migration.name == "two_words")
        let hex = migration.checksum.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        // The first example of FIPS 180-4.
        #expect(hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(migration.incompatibleBelow == nil)
    }

    @Test(arguments: [
        "0000_a.sql", "1_a.sql", "00001_a.sql", "0001-a.sql", "0001_.sql", "0001_A.sql", "0001_a.txt", "a.sql",
        "+001_a.sql",
        "0001_a b.sql", "",
    ])
    func refusesNames(_ file: String) throws {
        let error = try #require(throws: PersistenceError.self) { try Self.migration("gateway/\(file)") }
        #expect(error.code == .migrationFiles)
    }

    @Test func readsIncompatibility() throws {
        let text = "-- Drops the old column.\n-- incompatible-with-releases-below: 2\nSELECT 1;"
        #expect(try Self.migration("a/0003_a.sql", text).incompatibleBelow == 2)
        let late = "SELECT 1;\n-- incompatible-with-releases-below: 2\n"
        #expect(try Self.migration("a/0003_a.sql", late).incompatibleBelow == nil)
        for value in ["4", "0", "two", "", "2.1"] {
            #expect(throws: PersistenceError.self) {
                try Self.migration("a/0003_a.sql", "-- incompatible-with-releases-below: \(value)\nSELECT 1")
            }
        }
    }

    @Test func readsWhatItReplaces() throws {
        let old = try Self.migration("jobs/0001_a.sql", "SELECT 1")
        let hex = old.checksum.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let new = try Self.migration("jobs/0001_a.sql", "-- Faster.\n-- replaces: \(hex)\nSELECT 2")
        #expect(old.replaced == nil && new.replaced == old.checksum)
        for known in [old, new] {
            let history = try SchemaHistory(known: [new], applied: [Self.applied(1, known.checksum)], schema: .jobs)
            #expect(history.pending.isEmpty)
        }
        let error = try #require(throws: PersistenceError.self) {
            try SchemaHistory(known: [old], applied: [Self.applied(1, new.checksum)], schema: .jobs)
        }
        #expect(error.code == .changedMigration)
        for value in ["", "0", String(hex.dropLast()), hex + "0", hex.uppercased(), "x" + hex.dropFirst()] {
            #expect(throws: PersistenceError.self) {
                try Self.migration("jobs/0001_a.sql", "-- replaces: \(value)\nSELECT 2")
            }
        }
    }

    @Test func fillsPlaceholders() throws {
        let migration = try Self.migration("every-schema/0001_a.sql", "GRANT x ON {{schema}}.t TO {{role}}")
        #expect(try migration.script(for: .jobs).statements.map(\.text) == ["GRANT x ON jobs.t TO batuta_jobs"])
        #expect(throws: PersistenceError.self) {
            try Self.migration("every-schema/0001_a.sql", "SELECT '{{scheme}}'").script(for: .jobs)
        }
    }

    @Test func putsCommonAndOwnTogether() throws {
        let catalog = try MigrationCatalog(folders: [
            "every-schema": [try Self.migration("every-schema/0002_b.sql")],
            "gateway": [try Self.migration("gateway/0003_c.sql"), try Self.migration("gateway/0001_a.sql")],
            "engine": [try Self.migration("engine/0001_z.sql")],
            "scheduler": [try Self.migration("scheduler/0001_z.sql")],
            "jobs": [try Self.migration("jobs/0001_z.sql")], "audit": [try Self.migration("audit/0001_z.sql")],
        ])
        #expect(catalog.migrations(of: .gateway).map(\.name) == ["a", "b", "c"])
        #expect(catalog.migrations(of: .audit).map(\.name) == ["z", "b"])
    }

    @Test func refusesGapsAndDoubles() throws {
        let first = try Self.migration("every-schema/0001_a.sql")
        let gap = try #require(throws: PersistenceError.self) {
            try MigrationCatalog(folders: ["every-schema": [first], "jobs": [try Self.migration("jobs/0003_c.sql")]])
        }
        #expect(gap.message.contains("jobs has no migration 2"))
        let double = try #require(throws: PersistenceError.self) {
            try MigrationCatalog(folders: ["every-schema": [first], "jobs": [try Self.migration("jobs/0001_c.sql")]])
        }
        #expect(double.message.contains("every-schema/0001_a.sql and jobs/0001_c.sql"))
    }

    @Test func readsTheRepository() throws {
        let catalog = try TestDatabase.catalog()
        for schema in ServiceSchema.allCases {
            #expect(catalog.migrations(of: schema).count >= schema.requiredVersion)
            #expect(catalog.migrations(of: schema).first?.name == "foundation")
        }
    }

    @Test func refusesStrangeFolders() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("gatewai"),
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(at: folder) }
        let error = try #require(throws: PersistenceError.self) { try MigrationCatalog(folder: folder) }
        #expect(error.message.contains("gatewai"))
    }

    // MARK: History

    private static let known = [
        try? migration("jobs/0001_a.sql"), try? migration("jobs/0002_b.sql", "SELECT 2"),
    ].compactMap(\.self)

    private static func applied(_ version: Int, _ checksum: [UInt8]) -> AppliedMigration {
        AppliedMigration(version: version, name: "n\(version)", checksum: checksum)
    }

    @Test func findsWhatIsPendingAndUnknown() throws {
        let known = Self.known
        #expect(try SchemaHistory(known: known, applied: [], schema: .jobs).pending == known)
        let entries = [Self.applied(2, known[1].checksum), Self.applied(1, known[0].checksum), Self.applied(3, [])]
        let history = try SchemaHistory(known: known, applied: entries, schema: .jobs)
        #expect(history.pending.isEmpty)
        #expect(history.unknown.map(\.version) == [3])
        #expect(history.version == 3)
    }

    @Test func refusesChangedAndMissing() throws {
        let known = Self.known
        let changed = try #require(throws: PersistenceError.self) {
            try SchemaHistory(known: known, applied: [Self.applied(1, known[1].checksum)], schema: .jobs)
        }
        #expect(changed.code == .changedMigration)
        #expect(changed.message.contains("jobs/0001_a.sql"))
        let gap = try #require(throws: PersistenceError.self) {
            try SchemaHistory(known: known, applied: [Self.applied(2, known[1].checksum)], schema: .jobs)
        }
        #expect(gap.code == .historyGap)
    }

    // MARK: Gate

    @Test func gateDecides() throws {
        let required = ServiceSchema.engine.requiredVersion
        try SchemaGate.check(schema: .engine, version: required, incompatibleBelow: nil)
        try SchemaGate.check(schema: .engine, version: required + 3, incompatibleBelow: required)
        let cases: [(version: Int, below: Int?, code: PersistenceError.Code)] = [
            (0, nil, .schemaMissing), (required - 1, nil, .schemaTooOld),
            (required + 1, required + 1, .schemaIncompatible),
        ]
        for (version, below, code) in cases {
            let error = try #require(throws: PersistenceError.self) {
                try SchemaGate.check(schema: .engine, version: version, incompatibleBelow: below)
            }
            #expect(error.code == code)
            #expect(!error.isRetryable)
        }
    }
}
