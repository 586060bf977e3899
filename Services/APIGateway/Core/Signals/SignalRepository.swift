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

    /// A page of a tenant's signals, newest first, those before a given one.
    func page(
        _ filter: SignalFilter,
        of tenant: Tenant,
        before signalID: UUID?,
        count: Int,
        deadline: ContinuousClock.Instant
    ) async throws -> [ListedSignal] {
        var conditions = ["tenant = $1"]
        var values: [PostgresValue] = [.text(tenant.key)]
        func require(_ column: String, _ comparison: String, _ value: PostgresValue) {
            values.append(value)
            conditions.append("\(column) \(comparison) $\(values.count)")
        }
        // The order of the bytes, as the index has it.
        let type = #"type COLLATE "C""#
        switch filter.type {
        case .exact(let text):
            require(type, "=", .text(text))
        case .family(let prefix):
            require(type, ">", .text(prefix))
            // The least text that does not begin with the prefix: a slash comes right after a full stop.
            require(type, "<", .text(prefix.dropLast() + "/"))
        case nil:
            break
        }
        if let source = filter.source { require("source", "=", .text(source)) }
        if let from = filter.accepted.from { require("signal_id", ">=", .uuid(from)) }
        if let until = filter.accepted.until { require("signal_id", "<", .uuid(until)) }
        if let signalID { require("signal_id", "<", .uuid(signalID)) }
        values.append(.int(count))
        let statement = PostgresStatement(
            """
            SELECT signal_id, id, source, type FROM gateway.signals
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY signal_id DESC LIMIT $\(values.count)
            """,
            values,
            isReadOnly: true
        )
        let rows =
            filter.isServedInOrder
            ? try await database.page(statement, deadline: deadline)
            : try await database.execute(statement, deadline: deadline)
        return try rows.map { row in
            ListedSignal(
                signalID: try row.decode(0),
                id: try row.decode(1),
                source: try row.decode(2),
                type: try row.decode(3)
            )
        }
    }

    /// An item of a list.
    struct ListedSignal: Sendable {
        var signalID: UUID
        var id: String
        var source: String
        var type: String
    }

    /// The event of a tenant's signal, in structured form.
    func event(of signalID: UUID, tenant: Tenant) async throws -> [UInt8]? {
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT event FROM gateway.signals WHERE signal_id = $1 AND tenant = $2",
                [.uuid(signalID), .text(tenant.key)],
                isReadOnly: true
            )
        )
        return try rows.first?.decode(0)
    }

    /// Which of a tenant's signals the broker has not confirmed: those in messages past the watermark of their lane.
    func unconfirmed(
        _ signals: [UUID],
        of tenant: Tenant,
        deadline: ContinuousClock.Instant
    ) async throws -> Set<UUID> {
        guard let first = signals.min(), let last = signals.max() else {
            return []
        }
        let rows = try await database.execute(
            PostgresStatement(
                """
                -- The lanes first: few have anything unconfirmed, and the index of the outbox leads to just that.
                WITH unfinished AS MATERIALIZED (
                    SELECT epoch, signals_confirmed FROM gateway.lanes WHERE signals_confirmed < signals_last
                )
                SELECT item FROM unfinished l
                CROSS JOIN LATERAL (
                    SELECT o.items FROM gateway.outbox o
                    WHERE o.epoch = l.epoch AND o.destination = 'signals' AND o.first_seq > l.signals_confirmed
                      AND o.tenant = $2 AND o.message_id BETWEEN $3 AND $4
                    OFFSET 0
                ) AS message
                CROSS JOIN unnest(message.items) AS item
                JOIN unnest($1::uuid[]) AS asked (id) ON asked.id = item
                """,
                [
                    .uuidArray(signals), .text(tenant.key), .uuid(Self.messageBounds(of: first).lowerBound),
                    .uuid(Self.messageBounds(of: last).upperBound),
                ],
                isReadOnly: true
            ),
            deadline: deadline
        )
        return Set(try rows.map { try $0.decode(0, as: UUID.self) })
    }

    /// Between which ids the message of a signal has its own: it is made in the same transaction.
    private static func messageBounds(of signalID: UUID) -> ClosedRange<UUID> {
        let milliseconds = UUIDv7.milliseconds(of: signalID) ?? 0
        let earliest = UUIDv7.make(milliseconds: milliseconds.subtracting(5_000), high: 0, low: 0)
        // The time of an id has 48 bits; an id of a client's own making may use them all.
        let latest = min(milliseconds + 60_000, 0xFFFF_FFFF_FFFF)
        return earliest...UUIDv7.make(milliseconds: latest, high: .max, low: .max)
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
        let message = Self.messageBounds(of: signalID)
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT s.id, s.source, s.type, NOT EXISTS (
                    SELECT FROM gateway.outbox o
                    WHERE o.epoch = s.epoch AND o.destination = 'signals' AND o.first_seq > l.signals_confirmed
                      AND o.message_id BETWEEN $3 AND $4 AND s.signal_id = ANY (o.items)
                )
                -- A lane that is forgotten was finished: nothing of it compares as past the watermark.
                FROM gateway.signals s LEFT JOIN gateway.lanes l ON l.epoch = s.epoch
                WHERE s.signal_id = $1 AND s.tenant = $2
                """,
                [
                    .uuid(signalID), .text(tenant.key), .uuid(message.lowerBound), .uuid(message.upperBound),
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
