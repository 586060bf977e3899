import DequeModule
import Domain

/// What waits to be committed: a line for every tenant, which take turns.
///
/// Pure. Two rules keep a tenant that floods from the others. It may hold as much as it leaves free: alone a half of the
/// room, beside another that floods a third, so that there is always room for one that comes now. And a batch takes from
/// every line an equal share first, and what room is left then.
struct TenantLines: Sendable {
    /// What became of signals that were to be put in.
    enum Admission: Equatable, Sendable {
        case taken
        /// There is no room at all.
        case full
        /// There is none for this tenant.
        case tenantFull
    }

    private struct Line {
        let tenant: Tenant
        var groups: Deque<WaitingSignals> = []
        var signals = 0

        mutating func removeFirst() -> WaitingSignals? {
            let group = groups.popFirst()
            signals -= group?.weight ?? 0
            return group
        }
    }

    /// No line is empty.
    private var lines: [Line] = []
    private var places: [Tenant: Int] = [:]
    /// The place of the line that the next batch begins with.
    private var turn = 0
    /// How many signals wait in all.
    private(set) var signals = 0

    var isEmpty: Bool { lines.isEmpty }

    /// Puts signals in at the end of their tenant's line, where there is room.
    ///
    /// A tenant's only group may be larger than the room: else it would have to wait for a moment at which nobody waits.
    mutating func append(_ group: WaitingSignals, capacity: Int) -> Admission {
        guard signals < capacity else {
            return .full
        }
        if let place = places[group.tenant] {
            guard lines[place].signals + group.weight <= capacity - signals - group.weight else {
                return .tenantFull
            }
            lines[place].groups.append(group)
            lines[place].signals += group.weight
        } else {
            places[group.tenant] = lines.count
            lines.append(Line(tenant: group.tenant, groups: [group], signals: group.weight))
        }
        signals += group.weight
        return .taken
    }

    /// Takes out the groups of the next batch; one that alone is larger than a batch is one by itself.
    mutating func takeBatch(_ limits: SignalQueue.BatchLimits) -> [WaitingSignals] {
        guard !lines.isEmpty else {
            return []
        }
        var batch = Filling(signals: limits.signals, bytes: limits.bytes)
        var passedOver: Int?
        let share = (signals: max(1, limits.signals / lines.count), bytes: max(1, limits.bytes / lines.count))
        for place in places(from: turn) where !batch.take(from: &lines[place], upTo: share) {
            passedOver = passedOver ?? place
        }
        if lines.count > 1 {
            for place in places(from: turn) {
                _ = batch.take(from: &lines[place], upTo: (.max, .max))
            }
        }
        signals -= batch.taken
        // Whoever got nothing comes first the next time.
        turn = passedOver ?? turn + 1
        removeEmptyLines()
        return batch.groups
    }

    /// Takes out what has waited past its deadline.
    mutating func removeExpired(at now: ContinuousClock.Instant) -> [WaitingSignals] {
        var expired: [WaitingSignals] = []
        for place in lines.indices {
            // Every wait is equally long, so the oldest are the first to expire.
            while let first = lines[place].groups.first, first.deadline <= now {
                _ = lines[place].removeFirst()
                signals -= first.weight
                expired.append(first)
            }
        }
        removeEmptyLines()
        return expired
    }

    private func places(from turn: Int) -> some Sequence<Int> {
        lines.indices.lazy.map { [count = lines.count] in (turn + $0) % count }
    }

    private mutating func removeEmptyLines() {
        guard lines.contains(where: \.groups.isEmpty) else {
            turn = lines.isEmpty ? 0 : turn % lines.count
            return
        }
        let before = lines.prefix(turn).count { !$0.groups.isEmpty }
        lines.removeAll(where: \.groups.isEmpty)
        turn = before < lines.count ? before : 0
        places.removeAll(keepingCapacity: true)
        for (place, line) in lines.enumerated() {
            places[line.tenant] = place
        }
    }

    /// A batch while it is filled.
    private struct Filling {
        var groups: [WaitingSignals] = []
        var taken = 0
        /// What room is left.
        var signals: Int
        var bytes: Int

        init(signals: Int, bytes: Int) {
            self.signals = signals
            self.bytes = bytes
        }

        /// Takes a line's oldest groups, as long as they fit and its share is not used up.
        ///
        /// - Returns: False where the line got nothing.
        mutating func take(from line: inout Line, upTo share: (signals: Int, bytes: Int)) -> Bool {
            var given = (signals: 0, bytes: 0)
            while let group = line.groups.first, given.signals < share.signals, given.bytes < share.bytes,
                groups.isEmpty || (group.weight <= signals && group.bytes <= bytes)
            {
                _ = line.removeFirst()
                groups.append(group)
                taken += group.weight
                signals -= group.weight
                bytes -= group.bytes
                given.signals += group.weight
                given.bytes += group.bytes
            }
            return given.signals > 0
        }
    }
}
