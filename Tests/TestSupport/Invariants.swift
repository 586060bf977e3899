private import Foundation
private import Persistence
private import Synchronization

/// What holds of a system that has come to rest, whatever was done to it.
///
/// Every check is written anew in SQL over the stored rows, and shares no code with what it checks.
package struct Invariants: Sendable {
    private let installation: Installation

    package init(_ installation: Installation) {
        self.installation = installation
    }

    /// Waits until the system has come to rest, and checks everything.
    ///
    /// - Parameter limit: how long it may take to come to rest.
    /// - Throws: `InvariantViolation` with all that does not hold; `TestSupportError` when it does not come to rest.
    package func hold(within limit: Duration = .seconds(90)) async throws {
        try await rest(within: limit)
        var violations = installation.history.contradictions
        violations += try await acknowledgedViolations()
        violations += try await installation.sql.withConnection { connection in
            var found: [String] = []
            for statement in Self.preparations { try await connection.executeScript(statement) }
            for (rule, query) in Self.rules {
                let rows = try await connection.execute(PostgresStatement(query + " LIMIT 5"))
                found += try rows.map { "\(rule): \(try $0.decode(0, as: String.self))" }
            }
            return found
        }
        violations += try await RunRecordCheck(installation).violations(sample: 40)
        violations += try await deadLetterViolations()
        guard violations.isEmpty else { throw InvariantViolation(violations) }
        try await queuesAreEmpty()
    }

    /// Waits until nothing is left to be done.
    package func rest(within limit: Duration = .seconds(90)) async throws {
        let accepted = installation.history.acknowledged.values.map { $0 }
        try await eventually("the system has come to rest", within: limit, every: .milliseconds(100)) {
            let rows = try await installation.sql.execute(
                PostgresStatement(Self.unfinished, [.uuidArray(accepted)])
            )
            return try rows.map { try $0.decode(0, as: String.self) }
        } until: {
            $0.isEmpty
        }
    }

    private func queuesAreEmpty() async throws {
        // The broker's own counts of quorum queues are some seconds old.
        try await eventually("every queue is empty", within: .seconds(60), every: .milliseconds(100)) {
            try await installation.broker.messageCounts().filter { $0.value != 0 }
        } until: {
            $0.isEmpty
        }
    }

    private func acknowledgedViolations() async throws -> [String] {
        let acknowledged = installation.history.acknowledged
        let rows = try await installation.sql.execute(
            PostgresStatement(
                """
                SELECT format('%s was acknowledged as %s and is stored as %s', said.id, said.signal_id,
                              coalesce(s.signal_id::text, 'nothing'))
                FROM unnest($1::text[], $2::uuid[]) AS said (id, signal_id)
                LEFT JOIN gateway.signals s ON s.id = said.id
                WHERE s.signal_id IS DISTINCT FROM said.signal_id
                LIMIT 5
                """,
                [.textArray(Array(acknowledged.keys)), .uuidArray(Array(acknowledged.values))]
            )
        )
        return try rows.map { try $0.decode(0, as: String.self) }
    }

    private func deadLetterViolations() async throws -> [String] {
        let expected = installation.poison.withLock { $0 }
        let found = try await installation.texts(
            SystemService.allCases.compactMap(\.schema).map {
                "SELECT coalesce(message_id, 'without an id') || ' in \($0.name): ' || reason FROM \($0.name).dead_letters"
            }
            .joined(separator: " UNION ALL ")
        )
        let ids = found.map { String($0.prefix { $0 != " " }) }
        let unexpected = found.filter { !expected.contains(String($0.prefix { $0 != " " })) }
        let missing = expected.subtracting(ids)
        return unexpected.prefix(5).map { "an unexpected dead letter: \($0)" }
            + missing.prefix(5).map { "no dead letter of the poison \($0)" }
            + (ids.count == Set(ids).count ? [] : ["a message is twice among the dead letters"])
    }
}
