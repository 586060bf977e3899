import FoundationEssentials

/// How far exports have come: of each tenant only some, so that none can throw away what others have.
///
/// What goes first is what was looked at longest ago.
struct ScopeShelf: Sendable {
    private struct Item {
        let tenant: String
        var part: ScopePart
        /// When it was looked at, in looks.
        var looked: UInt64
    }

    private let tenantLimit: Int
    private let limit: Int
    private var items: [UUID: Item] = [:]
    private var looks: UInt64 = 0

    /// Begins with nothing.
    ///
    /// - Parameters:
    ///   - tenantLimit: How many exports of one tenant there may be.
    ///   - limit: How many there may be in all; each takes a few hundred bytes.
    init(perTenant tenantLimit: Int = 20, limit: Int = 1_000) {
        (self.tenantLimit, self.limit) = (tenantLimit, limit)
    }

    /// Somebody has asked for an export.
    ///
    /// - Parameters:
    ///   - id: The export.
    ///   - tenant: Whose it is.
    ///   - size: The size of the log that is exported.
    /// - Returns: How far it has come; one that is not known is begun.
    mutating func looked(at id: UUID, of tenant: String, size: Int64) -> ScopePart {
        looks += 1
        if items[id] == nil {
            makeRoom(for: tenant)
        }
        items[id, default: Item(tenant: tenant, part: ScopePart(size: size), looked: looks)].looked = looks
        return items[id]?.part ?? ScopePart(size: size)
    }

    /// An export has come further; nothing is kept of one that had to go meanwhile.
    mutating func advanced(_ part: ScopePart, _ id: UUID) {
        items[id]?.part = part
    }

    private mutating func makeRoom(for tenant: String) {
        let own = items.filter { $0.value.tenant == tenant }
        if own.count >= tenantLimit {
            removeOldest(of: own)
        } else if items.count >= limit {
            removeOldest(of: items)
        }
    }

    private mutating func removeOldest(of some: [UUID: Item]) {
        if let oldest = some.min(by: { $0.value.looked < $1.value.looked }) {
            items[oldest.key] = nil
        }
    }
}
