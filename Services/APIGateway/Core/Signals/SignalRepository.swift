import Domain
package import FoundationEssentials
package import Persistence

/// The SQL of accepted signals.
package struct SignalRepository: Sendable {
    private let database: PostgresClient

    package init(database: PostgresClient) {
        self.database = database
    }

    /// Aborts the transaction (SQLSTATE BT002) unless tenants and tokens still stand at the generation.
    static func requireGeneration(_ generation: Int64) -> PostgresStatement {
        PostgresStatement("SELECT gateway.require_identity_generation($1)", [.int8(generation)])
    }

    /// Takes the keys of signals, in their order; returns the ids of those whose key was free.
    static func takeKeys(_ signals: [IncomingSignal]) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO gateway.signal_keys (tenant, source, id, signal_id, digest)
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::bytea[])
            ON CONFLICT DO NOTHING
            RETURNING signal_id
            """,
            [
                .textArray(signals.map(\.tenant.key)),
                .textArray(signals.map(\.source)),
                .textArray(signals.map(\.id)),
                .uuidArray(signals.map(\.signalID)),
                .bytesArray(signals.map(\.digest)),
            ]
        )
    }

    /// Who holds the keys of signals.
    static func holders(of signals: [IncomingSignal]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT k.tenant, k.source, k.id, k.signal_id, k.digest
            FROM unnest($1::text[], $2::text[], $3::text[]) AS given (tenant, source, id)
            JOIN gateway.signal_keys k USING (tenant, source, id)
            """,
            [
                .textArray(signals.map(\.tenant.key)),
                .textArray(signals.map(\.source)),
                .textArray(signals.map(\.id)),
            ]
        )
    }

    /// Stores accepted signals.
    static func store(_ signals: [IncomingSignal], epoch: Int64) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO gateway.signals (signal_id, tenant, type, source, id, epoch, event)
            SELECT s.signal_id, s.tenant, s.type, s.source, s.id, $6, s.event
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $7::text[])
              AS s (signal_id, tenant, type, source, id, event)
            """,
            [
                .uuidArray(signals.map(\.signalID)),
                .textArray(signals.map(\.tenant.key)),
                .textArray(signals.map(\.type)),
                .textArray(signals.map(\.source)),
                .textArray(signals.map(\.id)),
                .int8(epoch),
                .textBytesArray(signals.map(\.event)),
            ]
        )
    }

    /// Reads events by their ids, for a relay that has them no more in memory.
    package func events(of ids: [UUID]) async throws -> [UUID: [UInt8]] {
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT signal_id, event FROM gateway.signals WHERE signal_id = ANY ($1::uuid[])",
                [.uuidArray(ids)],
                isReadOnly: true
            )
        )
        var events: [UUID: [UInt8]] = [:]
        events.reserveCapacity(rows.count)
        for row in rows {
            events[try row.decode(0)] = try row.decode(1, as: [UInt8].self)
        }
        return events
    }

    /// An accepted signal as its sender may see it.
    struct Accepted: Sendable {
        var id: String
        var source: String
        var type: String
        /// Whether the broker has confirmed it.
        var isPublished: Bool
    }

    /// Reads a signal of a tenant.
    ///
    /// Whether it is published is read from the lane's watermark: among the few messages past it, those made within a
    /// minute of the signal are searched for its id.
    func signal(_ signalID: UUID, of tenant: Tenant, deadline: ContinuousClock.Instant) async throws -> Accepted? {
        let milliseconds = UUIDv7.milliseconds(of: signalID) ?? 0
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT s.id, s.source, s.type, NOT EXISTS (
                    SELECT FROM gateway.outbox o
                    WHERE o.epoch = s.epoch AND o.destination = 'signals' AND o.first_seq > l.signals_confirmed
                      AND o.message_id BETWEEN $3 AND $4 AND s.signal_id = ANY (o.items)
                )
                FROM gateway.signals s JOIN gateway.lanes l ON l.epoch = s.epoch
                WHERE s.signal_id = $1 AND s.tenant = $2
                """,
                [
                    .uuid(signalID), .text(tenant.key),
                    .uuid(UUIDv7.make(milliseconds: milliseconds.subtracting(5_000), high: 0, low: 0)),
                    .uuid(UUIDv7.make(milliseconds: milliseconds &+ 60_000, high: .max, low: .max)),
                ],
                isReadOnly: true
            ),
            deadline: deadline
        )
        guard let row = rows.first else {
            return nil
        }
        return Accepted(
            id: try row.decode(0),
            source: try row.decode(1),
            type: try row.decode(2),
            isPublished: try row.decode(3)
        )
    }
}

extension UInt64 {
    /// The difference, or zero where it would be negative.
    fileprivate func subtracting(_ other: UInt64) -> UInt64 {
        self > other ? self - other : 0
    }
}
