import FoundationEssentials
import PostgreSQL

/// A lane that another instance has left behind.
struct AbandonedLane: Sendable {
    var epoch: Int64
    var producer: String
    /// Who kept it when it was found.
    var keeper: UUID?
    var isClosed: Bool
    var last: LaneNumbers
    var confirmed: LaneNumbers
    var verified: LaneNumbers
}

extension LaneRepository {
    /// Registers an instance, or renews its lease.
    func renewLease(
        of instance: UUID,
        replica: String,
        seconds: Int,
        deadline: ContinuousClock.Instant
    ) async throws {
        _ = try await database.execute(
            PostgresStatement(
                """
                INSERT INTO \(schema).instances (instance, replica, lease_until)
                VALUES ($1, $2, now() + make_interval(secs => $3))
                ON CONFLICT (instance) DO UPDATE SET lease_until = excluded.lease_until
                """,
                [.uuid(instance), .text(replica), .double(Double(seconds))]
            ),
            deadline: deadline
        )
    }

    /// Gives up an instance's lease; what it kept is free at once.
    func endLease(of instance: UUID, deadline: ContinuousClock.Instant) async throws {
        _ = try await database.execute(
            PostgresStatement("DELETE FROM \(schema).instances WHERE instance = $1", [.uuid(instance)]),
            deadline: deadline
        )
    }

    /// Forgets instances that ended long ago.
    func forgetEndedInstances() async throws {
        _ = try await database.execute(
            PostgresStatement("DELETE FROM \(schema).instances WHERE lease_until < now() - interval '1 day'")
        )
    }

    /// Lanes that are not finished and that nobody sends: their keeper's lease has expired, or they are closed and kept by
    /// this very instance, which does not know of it because an answer was lost.
    ///
    /// An open lane of this instance is its own, whatever its lease: it may just have been opened.
    func abandonedLanes(besides held: [Int64], by instance: UUID, limit: Int) async throws -> [AbandonedLane] {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT l.epoch, l.producer, l.closed_at IS NOT NULL,
                       l.signals_last, l.commands_last, l.audit_last,
                       l.signals_confirmed, l.commands_confirmed, l.audit_confirmed,
                       l.signals_verified, l.commands_verified, l.audit_verified, l.keeper
                FROM \(schema).lanes l LEFT JOIN \(schema).instances i ON i.instance = l.keeper
                WHERE (l.closed_at IS NULL OR l.signals_verified < l.signals_last
                       OR l.commands_verified < l.commands_last OR l.audit_verified < l.audit_last)
                  AND CASE WHEN l.keeper = $2 THEN l.closed_at IS NOT NULL
                           ELSE i.instance IS NULL OR i.lease_until < now() END
                  AND l.epoch <> ALL ($3::bigint[])
                ORDER BY l.epoch
                LIMIT $1
                """,
                [.int8(Int64(limit)), .uuid(instance), .int8Array(held)]
            )
        )
        return try rows.map { try Self.abandonedLane($0) }
    }

    /// The statement that closes an abandoned lane, if it still is as it was found, and answers its row.
    ///
    /// Of several that take it at once one does. The lease alone would not decide that: whoever has waited for the row
    /// checks the row again, and not the instances.
    func takeover(of lane: AbandonedLane, by keeper: UUID) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE \(schema).lanes l SET closed_at = coalesce(l.closed_at, now()), keeper = $2
            WHERE l.epoch = $1 AND l.keeper IS NOT DISTINCT FROM $3 AND (l.closed_at IS NOT NULL) = $4
              AND (l.keeper = $2
                   OR NOT EXISTS (SELECT FROM \(schema).instances i
                                  WHERE i.instance = l.keeper AND i.lease_until >= now()))
            RETURNING l.epoch, l.producer, l.closed_at IS NOT NULL,
                      l.signals_last, l.commands_last, l.audit_last,
                      l.signals_confirmed, l.commands_confirmed, l.audit_confirmed,
                      l.signals_verified, l.commands_verified, l.audit_verified, l.keeper
            """,
            [.int8(lane.epoch), .uuid(keeper), .uuid(lane.keeper), .bool(lane.isClosed)]
        )
    }

    static func abandonedLane(_ row: PostgresRow) throws -> AbandonedLane {
        func numbers(at column: Int) throws -> LaneNumbers {
            LaneNumbers(
                signals: try row.decode(column, as: Int64.self),
                commands: try row.decode(column + 1, as: Int64.self),
                audit: try row.decode(column + 2, as: Int64.self)
            )
        }
        return AbandonedLane(
            epoch: try row.decode(0, as: Int64.self),
            producer: try row.decode(1, as: String.self),
            keeper: try row.decode(12, as: UUID?.self),
            isClosed: try row.decode(2, as: Bool.self),
            last: try numbers(at: 3),
            confirmed: try numbers(at: 6),
            verified: try numbers(at: 9)
        )
    }
}
