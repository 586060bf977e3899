import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite(.requiresServers, .timeLimit(.minutes(2)))
struct AutomationCatalogueTests {
    private static let definition =
        #"{"trigger":{"signalType":"orders.paid"},"steps":[{"action_key":"data.transform"}]}"#

    @Test func aGenerationThatGoesBackMakesTheIndexAnew() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let catalogue = AutomationCatalogue(
                database: database.client,
                registry: .builtIn,
                logger: ServiceDatabase.logger
            )
            try await Self.store("old", generation: 2, in: database)
            try await catalogue.refresh()
            #expect(try Self.matches(catalogue) == ["old"])
            try await Self.store("new", generation: 3, in: database)
            try await catalogue.refresh()
            #expect(try Self.matches(catalogue) == ["new", "old"])

            // The database is restored to the state in which only the first one was there.
            try await database.executeAsSuperuser(
                """
                DELETE FROM engine.automations WHERE automation_key = 'new';
                UPDATE engine.registry_generation SET generation = 2
                """
            )
            try await catalogue.refresh()
            #expect(try Self.matches(catalogue) == ["old"])
            #expect(catalogue.current.generation == 2)

            // It works on from there: the same generation comes a second time, with something else in it.
            try await Self.store("other", generation: 3, in: database)
            try await catalogue.refresh()
            #expect(try Self.matches(catalogue) == ["old", "other"])
        }
    }

    private static func matches(_ catalogue: AutomationCatalogue) throws -> [String] {
        catalogue.current.matches(try Fixtures.signal("orders.paid")).map(\.key)
    }

    private static func store(_ key: String, generation: Int64, in database: ServiceDatabase) async throws {
        try await database.client.pipeline([
            PostgresStatement(
                """
                INSERT INTO engine.automations (automation_id, tenant, automation_key, status, version, revision, name,
                                                definition, changed_generation)
                VALUES (gen_random_uuid(), 'acme', $1, 'active', 1, 1, $1, $2, $3)
                """,
                [.text(key), .text(definition), .int8(generation)]
            ),
            PostgresStatement("UPDATE engine.registry_generation SET generation = $1", [.int8(generation)]),
        ])
    }
}
