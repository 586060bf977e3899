import Domain
import FoundationEssentials

/// All active automations, found by a signal's tenant and type without looking at any that does not match.
struct AutomationIndex: Sendable {
    private struct Key: Hashable {
        var tenant: String
        var type: String
    }

    /// The registry's generation that the index was built from.
    private(set) var generation: Int64
    private var exact: [Key: [UUID]] = [:]
    private var families: [Key: [UUID]] = [:]
    private var automations: [UUID: CompiledAutomation] = [:]

    init(generation: Int64 = 0) {
        self.generation = generation
    }

    /// How many automations are active.
    var count: Int { automations.count }

    /// Takes over a change of one automation: its active version, or nil where it is not active.
    mutating func update(_ id: UUID, to automation: CompiledAutomation?) {
        if let old = automations.removeValue(forKey: id) {
            remove(old)
        }
        guard let automation else {
            return
        }
        automations[id] = automation
        switch automation.trigger {
        case .exact(let type): exact[Key(tenant: automation.tenant, type: type), default: []].append(id)
        case .family(let prefix): families[Key(tenant: automation.tenant, type: prefix), default: []].append(id)
        }
    }

    /// The index holds everything up to a generation.
    mutating func reached(_ generation: Int64) {
        self.generation = max(self.generation, generation)
    }

    /// The active automations for a signal of this tenant and type, sorted by key.
    func matches(tenant: String, type: String) -> [CompiledAutomation] {
        var ids = exact[Key(tenant: tenant, type: type)] ?? []
        if !families.isEmpty {
            for prefix in SignalTrigger.familyPrefixes(of: type) {
                ids += families[Key(tenant: tenant, type: String(prefix))] ?? []
            }
        }
        let found = ids.compactMap { automations[$0] }
        return found.count < 2 ? found : found.sorted { $0.key < $1.key }
    }

    private mutating func remove(_ automation: CompiledAutomation) {
        switch automation.trigger {
        case .exact(let type):
            Self.remove(automation.id, from: &exact, at: Key(tenant: automation.tenant, type: type))
        case .family(let prefix):
            Self.remove(automation.id, from: &families, at: Key(tenant: automation.tenant, type: prefix))
        }
    }

    private static func remove(_ id: UUID, from index: inout [Key: [UUID]], at key: Key) {
        index[key]?.removeAll { $0 == id }
        if index[key]?.isEmpty ?? false {
            index[key] = nil
        }
    }
}
