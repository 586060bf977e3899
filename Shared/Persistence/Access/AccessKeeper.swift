import PostgreSQL

/// Makes the services' roles and sees to it that each can do no more than it must.
///
/// Roles belong to the whole server, so others may change them at the same moment from another database, where no
/// lock of ours reaches: whoever meets such a change looks again.
struct AccessKeeper: Sendable {
    let client: PostgresClient
    let passwords: [ServiceSchema: String]

    /// How often others may come in between before that is taken for something else.
    private static let attempts = 100

    /// What is not as it must be.
    func pendingChanges() async throws(PersistenceError) -> [AccessChange] {
        try await look().changes
    }

    /// Puts everything right.
    ///
    /// - Parameter report: Hears of each change when it stands.
    /// - Throws: ``PersistenceError``; what was reported before stays.
    func apply(_ report: (AccessChange) -> Void) async throws(PersistenceError) {
        for (schema, password) in passwords {
            guard ScramVerifier.isUsable(password) else {
                throw PersistenceError(
                    .role,
                    "the password of the role \(schema.role) must be 1 to 200 printable ASCII characters"
                )
            }
        }
        var carried: Set<AccessChange> = []
        for attempt in 1... {
            let (state, changes) = try await look()
            // A password may be invisible, and everything else must be seen to stand.
            let open = changes.filter { !carried.contains($0) || !$0.isPassword }
            guard !open.isEmpty else { return }
            if let idle = open.first(where: carried.contains) {
                throw PersistenceError(
                    .role,
                    "to \(idle) had no effect; migrate as the owner of the database, who may make roles"
                )
            }
            try await carryOut(open, state, isPersistent: attempt >= Self.attempts) { change in
                carried.insert(change)
                report(change)
            }
        }
    }

    /// Stops early when another session comes in between.
    private func carryOut(
        _ changes: [AccessChange],
        _ state: AccessState,
        isPersistent: Bool,
        _ report: (AccessChange) -> Void
    ) async throws(PersistenceError) {
        for change in changes {
            var verifier: String?
            if case .setPassword(let schema) = change, let password = passwords[schema] {
                verifier = ScramVerifier(password: password).description
            }
            do {
                try await client.execute(.simple(change.sql(database: state.database, verifier: verifier)))
            } catch  where Self.isInterference(error) && !isPersistent {
                return
            } catch {
                throw .during("to \(change) was refused", error)
            }
            report(change)
        }
    }

    private func look() async throws(PersistenceError) -> (state: AccessState, changes: [AccessChange]) {
        do {
            let state = try await AccessState.read(client)
            return (state, try state.changes(passwords: passwords))
        } catch {
            throw .during("looking at the roles", error)
        }
    }

    /// Whether the error says that another session made or changed the same thing just now.
    private static func isInterference(_ error: PostgresError) -> Bool {
        switch error.sqlState {
        case "42710", "23505": true
        case "XX000": error.message.contains("concurrently")
        default: error.isRetryable && error.sqlState != nil
        }
    }
}
