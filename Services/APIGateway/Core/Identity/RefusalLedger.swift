import Contracts
import Domain
import FoundationEssentials
import JSON
package import Logging
package import Messaging
import Metrics
import ServiceLifecycle
import Synchronization

/// Leaves an audit entry of what principals were not allowed to do: one per principal, route and minute, with a count.
///
/// What is counted is bounded; past the bound only a metric tells of it.
package final class RefusalLedger: Service {
    struct Key: Hashable {
        let tokenID: UUID
        let route: Route
    }

    struct Entry: Equatable {
        let principal: Principal
        let route: Route
        var count: Int
    }

    private struct State {
        var entries: [Key: Entry] = [:]
    }

    /// How many principals and routes are counted in one minute.
    static let capacity = 2_000

    private let lanes: LaneGroup
    private let period: Duration
    private let logger: Logger
    private let state = Mutex(State())
    private let uncounted = Counter(label: "batuta_refusals_unaudited_total")

    package init(lanes: LaneGroup, period: Duration = .seconds(60), logger: Logger) {
        self.lanes = lanes
        self.period = period
        self.logger = logger
    }

    /// Somebody known was refused.
    func note(_ principal: Principal, _ route: Route) {
        let isCounted = state.withLock { state in
            let key = Key(tokenID: principal.tokenID, route: route)
            guard state.entries[key] != nil || state.entries.count < Self.capacity else {
                return false
            }
            state.entries[key, default: Entry(principal: principal, route: route, count: 0)].count += 1
            return true
        }
        if !isCounted {
            uncounted.increment()
        }
    }

    /// Writes what has been counted, once a minute and at the end.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: self.period)
                if !Task.isCancelled {
                    await self.write()
                }
            }
        }
        await write()
    }

    private func write() async {
        let entries = state.withLock { state in
            defer { state.entries = [:] }
            return state.entries
        }
        do {
            let drafts = try entries.values.map { try Self.draft($0) }
            guard let first = drafts.first else {
                return
            }
            try await lanes.change(deadline: .now + .seconds(10)) { _ in
                .made((), first, and: Array(drafts.dropFirst()))
            }
        } catch {
            logger.warning("refusals could not be recorded yet", metadata: ["error": "\(error)"])
            restore(entries)
        }
    }

    private func restore(_ entries: [Key: Entry]) {
        state.withLock { state in
            for (key, entry) in entries where state.entries[key] != nil || state.entries.count < Self.capacity {
                state.entries[key, default: Entry(principal: entry.principal, route: entry.route, count: 0)].count +=
                    entry.count
            }
        }
    }

    private static func draft(_ entry: Entry) throws -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: entry.principal.tenant.key,
            actor: entry.principal.actor,
            action: "access",
            object: AuditObject(type: "route", id: entry.route.name),
            after: try .json(["count": .number(Int64(entry.count)), "role": .string(entry.principal.role.rawValue)]),
            outcome: .refused
        )
    }
}

extension Principal {
    /// The principal as the actor of an audit entry.
    var actor: AuditActor {
        AuditActor(type: role == .admin ? .admin : .user, id: name, via: via)
    }
}
