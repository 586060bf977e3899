import FoundationEssentials

/// How many more runs are taken, in all and of each tenant.
struct RunRoom: Equatable, Sendable {
    /// How many in all.
    private(set) var limit: Int
    /// How many one tenant may have.
    let share: Int
    /// How many each tenant has.
    private(set) var held: [String: Int]

    init(limit: Int, share: Int, held: [String: Int] = [:]) {
        self.limit = limit
        self.share = share
        self.held = held
    }

    /// Whether a tenant has all of its share.
    var hasFullTenant: Bool { held.values.contains { $0 >= share } }

    /// Takes room for runs that have been claimed.
    mutating func take(_ runs: [ClaimedRun]) {
        limit -= runs.count
        for run in runs {
            held[run.tenant, default: 0] += 1
        }
    }

    /// Those of some runs that there is room for, the tenants in turn.
    func choose(_ runs: [ClaimedRun]) -> [ClaimedRun] {
        var places: [String: Int] = [:]
        var chosen: [(place: Int, run: ClaimedRun)] = []
        for run in runs {
            let place = places[run.tenant, default: 0]
            places[run.tenant] = place + 1
            if held[run.tenant, default: 0] + place < share {
                chosen.append((place, run))
            }
        }
        chosen.sort { ($0.place, $0.run.id) < ($1.place, $1.run.id) }
        return chosen.prefix(max(0, limit)).map(\.run)
    }
}

/// A run that a replica has claimed, or may claim.
struct ClaimedRun: Hashable, Sendable {
    let id: UUID
    let tenant: String
}
