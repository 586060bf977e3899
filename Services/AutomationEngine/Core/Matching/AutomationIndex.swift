import Contracts
import Domain
import EventPattern
import FoundationEssentials

/// All active automations, found by a signal's tenant, type and content without looking at any that does not match.
///
/// Automations of one tenant and trigger share a bucket; those with a filter stand in its pattern index, whose cost grows
/// with the event's fields and not with the automations.
struct AutomationIndex: Sendable {
    private struct Key: Hashable {
        var tenant: String
        /// A type, the prefix of a family, or the key of an automation.
        var name: String
    }

    private struct Bucket: Sendable {
        var unfiltered: [UUID] = []
        var filtered = EventPatternIndex<UUID>()

        var isEmpty: Bool { unfiltered.isEmpty && filtered.isEmpty }
    }

    /// The registry's generation that the index was built from.
    private(set) var generation: Int64
    private var exact: [Key: Bucket] = [:]
    private var families: [Key: Bucket] = [:]
    private var automations: [UUID: CompiledAutomation] = [:]
    private var keys: [Key: UUID] = [:]

    init(generation: Int64 = 0) {
        self.generation = generation
    }

    /// How many automations are active.
    var count: Int { automations.count }

    /// Takes over a change of one automation: its active version, or nil where it is not active.
    mutating func update(_ id: UUID, to automation: CompiledAutomation?) {
        if let old = automations.removeValue(forKey: id) {
            keys[Key(tenant: old.tenant, name: old.key)] = nil
            change(old) { bucket in
                bucket.unfiltered.removeAll { $0 == id }
                bucket.filtered.remove(id)
            }
        }
        guard let automation else {
            return
        }
        automations[id] = automation
        keys[Key(tenant: automation.tenant, name: automation.key)] = id
        change(automation) { bucket in
            if let filter = automation.filter {
                bucket.filtered.insert(id, filter)
            } else {
                bucket.unfiltered.append(id)
            }
        }
    }

    /// The index holds everything up to a generation.
    mutating func reached(_ generation: Int64) {
        self.generation = max(self.generation, generation)
    }

    /// The active automations that a signal starts, sorted by key.
    ///
    /// An aimed signal starts the one that it is for, whatever that is on, and no other.
    func matches(_ signal: IncomingSignal) -> [CompiledAutomation] {
        if let aim = signal.aim {
            let target = self.target(of: aim, in: signal.tenant)
            return target.flatMap { $0.tenant == signal.tenant ? [$0] : nil } ?? []
        }
        var ids = matches(signal, in: exact[Key(tenant: signal.tenant, name: signal.type)])
        if !families.isEmpty {
            for prefix in SignalTrigger.familyPrefixes(of: signal.type) {
                ids += matches(signal, in: families[Key(tenant: signal.tenant, name: String(prefix))])
            }
        }
        let found = ids.compactMap { automations[$0] }
        return found.count < 2 ? found : found.sorted { $0.key < $1.key }
    }

    private func target(of aim: SignalsAcceptedV2.Aim, in tenant: String) -> CompiledAutomation? {
        switch aim.target {
        case .id(let id): automations[id]
        case .key(let key): keys[Key(tenant: tenant, name: key)].flatMap { automations[$0] }
        }
    }

    private func matches(_ signal: IncomingSignal, in bucket: Bucket?) -> [UUID] {
        guard let bucket else {
            return []
        }
        return bucket.filtered.isEmpty ? bucket.unfiltered : bucket.unfiltered + bucket.filtered.matches(signal.view)
    }

    private mutating func change(_ automation: CompiledAutomation, _ body: (inout Bucket) -> Void) {
        switch automation.trigger {
        case .exact(let type):
            Self.change(&exact, at: Key(tenant: automation.tenant, name: type), body)
        case .family(let prefix):
            Self.change(&families, at: Key(tenant: automation.tenant, name: prefix), body)
        }
    }

    private static func change(_ buckets: inout [Key: Bucket], at key: Key, _ body: (inout Bucket) -> Void) {
        // Taken out, so that it is changed in place and not copied.
        var bucket = buckets.removeValue(forKey: key) ?? Bucket()
        body(&bucket)
        if !bucket.isEmpty {
            buckets[key] = bucket
        }
    }
}
