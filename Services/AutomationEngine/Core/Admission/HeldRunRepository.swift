import FoundationEssentials
import Persistence

/// Lets held runs go, in the order of their ids.
///
/// A row that says when to look leads to gates; what can be locked of these without waiting is decided about, and the rest
/// is looked at again. Nothing here waits for a lock, so it stands in nobody's way, and any replica may do it at any time.
struct HeldRunRepository: Sendable {
    /// What became of one look.
    struct Round: Sendable {
        /// How many rows were dealt with.
        var looked = 0
        /// How many runs may be claimed now.
        var released = 0
    }

    /// How many rows one transaction deals with at most.
    static let maximumLooks = 200
    /// How many runs of one gate it lets go at most.
    static let maximumReleases = 500

    let database: PostgresClient

    /// Looks where it is time to look.
    ///
    /// - Throws: `PostgresError`; nothing has happened then, or nobody else has to look.
    func look(deadline: ContinuousClock.Instant) async throws -> Round {
        try await database.withTransaction(deadline: deadline) { transaction in
            let notes = try await transaction.execute(Self.due).map(HeldRunNote.init)
            guard !notes.isEmpty else {
                return Round()
            }
            let wanted = Array(Set(notes.flatMap(\.gates)))
            let locked = Set(
                try await transaction.execute(Self.locking(wanted)).map { wanted[try $0.decode(0, as: Int.self)] }
            )
            // What has ended is done with once all is looked at that it may have freed.
            let looked = notes.filter { locked.isSuperset(of: $0.gates) }
            guard !looked.isEmpty else {
                return Round()
            }
            var rooms = try await Self.rooms(of: Array(locked.sorted()), in: transaction)
            let chosen = try await Self.choose(&rooms, in: transaction)
            _ = try await transaction.commit(Self.writing(looked, rooms, chosen))
            return Round(looked: looked.count, released: chosen.count(where: { $0.nextStage?.isHeld != true }))
        }
    }

    /// How long it is until somebody has to look, by the clock of the database; nil where nobody has to.
    ///
    /// - Throws: `PostgresError`.
    func nextLook(deadline: ContinuousClock.Instant) async throws -> Duration? {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT extract(epoch FROM min(look_at) - clock_timestamp())::float8 FROM engine.admissions
                WHERE look_at IS NOT NULL
                """,
                isReadOnly: true
            ),
            deadline: deadline
        )
        return try rows.first?.decode(0, as: Double?.self).map { .seconds($0) }
    }

    private static func rooms(
        of gates: [AdmissionGate],
        in transaction: PostgresTransaction
    ) async throws -> [HeldRunRoom] {
        try await transaction.execute(reading(gates)).map { row in
            HeldRunRoom(
                gate: gates[try row.decode(0, as: Int.self)],
                isPaused: try row.decode(1),
                limit: try row.decode(2),
                going: try row.decode(3),
                window: try row.decode(4, as: Int64?.self).map { .microseconds($0) },
                starts: try row.decode(5, as: [PostgresTimestamp].self).map(\.microsecondsSinceEpoch),
                now: try row.decode(6, as: PostgresTimestamp.self).microsecondsSinceEpoch
            )
        }
    }

    private static func choose(
        _ rooms: inout [HeldRunRoom],
        in transaction: PostgresTransaction
    ) async throws -> [ChosenRun] {
        var chosen: [ChosenRun] = []
        for kind in [AdmissionGate.Kind.pause, .place, .rate] {
            let open = rooms.indices.filter { rooms[$0].gate.kind == kind && rooms[$0].room > 0 }
            guard !open.isEmpty else {
                continue
            }
            for row in try await transaction.execute(choosing(kind, open.map { rooms[$0] })) {
                let index = open[try row.decode(0, as: Int.self)]
                chosen.append(
                    ChosenRun(
                        id: try row.decode(1),
                        gate: rooms[index].gate,
                        placeKey: try row.decode(2),
                        rateKey: try row.decode(3)
                    )
                )
                rooms[index].taken += 1
            }
        }
        return chosen
    }
}
