import Domain
import FoundationEssentials
import PostgreSQL

/// The SQL of lanes, their outbox, and the instances that keep them.
struct LaneRepository: Sendable {
    let schema: String
    let database: PostgresClient

    /// Makes the row of a new lane and answers its epoch.
    func open(producer: String, keeper: UUID, deadline: ContinuousClock.Instant?) async throws -> Int64 {
        let rows = try await database.execute(
            PostgresStatement(
                "INSERT INTO \(schema).lanes (producer, keeper) VALUES ($1, $2) RETURNING epoch",
                [.text(producer), .uuid(keeper)]
            ),
            deadline: deadline
        )
        guard let row = rows.first else {
            throw PostgresError(.decoding, "a new lane has no epoch")
        }
        return try row.decode(0, as: Int64.self)
    }

    /// The insertion of one transaction's messages.
    func insertion(of messages: [OutboxMessage], epoch: Int64) -> PostgresStatement {
        var items: [UUID] = []
        var itemsFrom: [Int32?] = []
        var itemsTo: [Int32?] = []
        for message in messages {
            let from = items.count
            items += message.items
            itemsFrom.append(message.items.isEmpty ? nil : Int32(from + 1))
            itemsTo.append(message.items.isEmpty ? nil : Int32(items.count))
        }
        return PostgresStatement(
            """
            INSERT INTO \(schema).outbox (message_id, epoch, destination, first_seq, last_seq, tenant, routing_key,
                                          message_type, schema_version, traceparent, items, body)
            SELECT m.message_id, $1, m.destination, m.first_seq, m.last_seq, m.tenant, m.routing_key,
                   m.message_type, m.schema_version, m.traceparent,
                   CASE WHEN m.items_from IS NOT NULL THEN ($2::uuid[])[m.items_from:m.items_to] END, m.body
            FROM unnest($3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[],
                        $10::integer[], $11::text[], $12::integer[], $13::integer[], $14::bytea[])
                AS m (message_id, destination, first_seq, last_seq, tenant, routing_key, message_type,
                      schema_version, traceparent, items_from, items_to, body)
            """,
            [
                .int8(epoch), .uuidArray(items),
                .uuidArray(messages.map(\.id)),
                .textArray(messages.map(\.destination.rawValue)),
                .int8Array(messages.map(\.firstSeq)),
                .int8Array(messages.map(\.lastSeq)),
                .textArray(messages.map(\.tenant)),
                .textArray(messages.map(\.routingKey)),
                .textArray(messages.map(\.type)),
                .int4Array(messages.map { Int32($0.schemaVersion) }),
                .textArray(messages.map(\.traceparent)),
                .int4Array(itemsFrom), .int4Array(itemsTo),
                .bytesArray(messages.map { $0.items.isEmpty ? $0.body : nil }),
            ]
        )
    }

    /// The last statement of a lane's transaction.
    func advance(
        _ position: LaneStateMachine.Position,
        to numbers: LaneNumbers,
        confirmed: LaneNumbers
    ) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(schema).advance_lane($1, $2, $3, $4, $5, $6, $7, $8)",
            [
                .int8(position.epoch), .int8(position.commits),
                .int8(numbers.signals), .int8(numbers.commands), .int8(numbers.audit),
                .int8(confirmed.signals), .int8(confirmed.commands), .int8(confirmed.audit),
            ]
        )
    }

    /// The statement after `advance` that closes a lane for good; whoever is free keeps what is left of it.
    func closing(epoch: Int64) -> PostgresStatement {
        PostgresStatement(
            "UPDATE \(schema).lanes SET closed_at = now(), keeper = NULL WHERE epoch = $1",
            [.int8(epoch)]
        )
    }

    /// Fences a transaction of unknown outcome, waiting for it where it is still under way, and reads what became of it.
    ///
    /// Two statements, since one would read the row as it was before it waited. The first one writes in any case, so that
    /// a synchronous standby has confirmed what is read before it is believed. Repeating them changes nothing.
    func settle(
        _ position: LaneStateMachine.Position,
        deadline: ContinuousClock.Instant?
    ) async throws -> (commits: Int64, isClosed: Bool) {
        _ = try await database.execute(
            PostgresStatement(
                """
                UPDATE \(schema).lanes
                SET commits = CASE WHEN commits = $2 AND closed_at IS NULL THEN $3 ELSE commits END
                WHERE epoch = $1
                """,
                [
                    .int8(position.epoch), .int8(position.commits),
                    .int8(LaneStateMachine.fencedCount(after: position.commits)),
                ]
            ),
            deadline: deadline
        )
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT commits, closed_at IS NOT NULL FROM \(schema).lanes WHERE epoch = $1",
                [.int8(position.epoch)]
            ),
            deadline: deadline
        )
        guard let row = rows.first else {
            throw LaneError(code: .foreignRow, message: "lane \(position.epoch) is gone from \(schema).lanes")
        }
        return (try row.decode(0, as: Int64.self), try row.decode(1, as: Bool.self))
    }

    /// Messages of a lane after a number, in their order; without the events of signals.
    ///
    /// - Parameters:
    ///   - epoch: The lane.
    ///   - destination: Which of its destinations.
    ///   - seq: The number before the first.
    ///   - last: The last number with which a message may begin.
    ///   - limit: How many messages at most.
    ///   - withBodies: Whether the bodies are wanted, which are large.
    /// - Returns: The messages.
    /// - Throws: `PostgresError`.
    func messages(
        epoch: Int64,
        destination: Destination,
        after seq: Int64,
        through last: Int64 = .max,
        limit: Int,
        withBodies: Bool = true
    ) async throws -> [OutboxMessage] {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT message_id, first_seq, last_seq, tenant, routing_key, message_type, schema_version, traceparent,
                       items, CASE WHEN $6 THEN body END
                FROM \(schema).outbox
                WHERE epoch = $1 AND destination = $2 AND first_seq <= $4
                  -- A message holds far fewer items than this, so the one that spans `seq` is found by the index.
                  AND first_seq > $3 - 10000 AND last_seq > $3
                ORDER BY first_seq
                LIMIT $5
                """,
                [
                    .int8(epoch), .text(destination.rawValue), .int8(seq), .int8(last), .int8(Int64(limit)),
                    .bool(withBodies),
                ]
            )
        )
        return try rows.map { row in
            OutboxMessage(
                id: try row.decode(0, as: UUID.self),
                destination: destination,
                firstSeq: try row.decode(1, as: Int64.self),
                lastSeq: try row.decode(2, as: Int64.self),
                tenant: try row.decode(3, as: String.self),
                routingKey: try row.decode(4, as: String.self),
                type: try row.decode(5, as: String.self),
                schemaVersion: try row.decode(6, as: Int.self),
                traceparent: try row.decode(7, as: String?.self),
                items: try row.decode(8, as: [UUID]?.self) ?? [],
                body: try row.decode(9, as: [UInt8]?.self) ?? []
            )
        }
    }

    /// The bodies of messages that carry their own; none of signals, nor of what was cleared.
    func bodies(of messages: [UUID]) async throws -> [UUID: [UInt8]] {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT o.message_id, o.body FROM \(schema).outbox o
                WHERE o.message_id = ANY ($1) AND o.message_id BETWEEN $2 AND $3 AND octet_length(o.body) > 0
                """,
                [.uuidArray(messages), .uuid(messages.min()), .uuid(messages.max())]
            )
        )
        return Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.decode(0, as: UUID.self), try $0.decode(1, as: [UInt8].self)) }
        )
    }

    /// Clears what is kept beside the audit log from the outbox, of some of what the audit-writer is known to hold.
    ///
    /// - Returns: Whether there may be more.
    /// - Throws: `PostgresError`.
    func clearKept(deadline: ContinuousClock.Instant) async throws -> Bool {
        let rows = try await database.execute(PostgresStatement("SELECT \(schema).clear_kept()"), deadline: deadline)
        return try rows.first?.decode(0) ?? false
    }

    /// Writes how far a lane has come.
    func progress(
        epoch: Int64,
        destination: Destination,
        confirmed: Int64,
        verified: Int64,
        deadline: ContinuousClock.Instant = .now + .seconds(15)
    ) async throws {
        let name = destination.rawValue
        _ = try await database.execute(
            PostgresStatement(
                """
                UPDATE \(schema).lanes SET \(name)_confirmed = greatest(\(name)_confirmed, $2),
                                           \(name)_verified = greatest(\(name)_verified, $3)
                WHERE epoch = $1
                """,
                [.int8(epoch), .int8(confirmed), .int8(verified)]
            ),
            deadline: deadline
        )
    }
}
