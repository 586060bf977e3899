import MerkleLog

/// Follows all entries by index: whether each is one, whether ids repeat, and what is missing.
struct EntriesCheck {
    /// How many entries are there.
    private(set) var count: UInt64 = 0

    private let scope: ExportScope?
    private var ids = EntryIDs()
    private var digest = ScopeDigest()
    private var lanes = LaneCheck()
    private var absent: [ClosedRange<UInt64>] = []
    private var sealed = IndexRanges()

    /// The first entry that is none; after it nothing is followed any more.
    private var fault: ExportFault?

    /// Makes the check of an export with so many positions, and so many files of entries.
    init(size: UInt64, scope: ExportScope?, files: Int) {
        self.scope = scope
        ids.reserve(min(files * Tile.fullWidth, Int(size)))
    }

    /// Notes the entries of the next file.
    mutating func append(_ report: BundleReport) {
        guard fault == nil else { return }
        for (position, facts) in report.entries.enumerated() {
            let index = report.start + UInt64(position)
            guard let facts else {
                skip(index)
                continue
            }
            guard ids.insert(facts.id) else {
                fault = Self.refused(index, EntryRefusal("an entry before it has the same id"))
                return
            }
            append(facts, report.claimed[position], at: index)
        }
        if let refusal = report.refusal {
            fault = Self.refused(report.start + UInt64(report.entries.count), refusal)
        }
    }

    private mutating func append(_ facts: EntryFacts, _ leaf: MerkleHash, at index: UInt64) {
        count += 1
        guard scope == nil else { return digest.append(leaf) }
        lanes.append(facts.seq, lane: lanes.number(of: facts.lane), at: index)
        for range in facts.seals {
            sealed.insert(range)
        }
        if let closing = facts.closing {
            lanes.close(closing)
        }
    }

    private mutating func skip(_ index: UInt64) {
        guard scope == nil else { return }
        lanes.skip()
        if let last = absent.last, last.upperBound + 1 == index {
            absent[absent.count - 1] = last.lowerBound...index
        } else {
            absent.append(index...index)
        }
    }

    private static func refused(_ index: UInt64, _ refusal: EntryRefusal) -> ExportFault {
        ExportFault(.entry, at: index, "The entry \(index) is not one that the log takes: \(refusal.reason).")
    }

    /// Judges the entries when all were noted; throws the first that is none, or that they are not those of the scope.
    func finish() throws(ExportFault) {
        if let fault { throw fault }
        guard let scope, (scope.entries, scope.digest) != (count, digest.digest) else { return }
        let meaning = "The entries, \(count) of them, are not exactly the \(scope.entries) that the scope names."
        throw ExportFault(.scope, at: "scope", meaning)
    }

    /// What is missing, if anything is; nothing is told where the entries are one tenant's.
    mutating func missing() -> ExportFault? {
        guard scope == nil else { return nil }
        if let index = sealed.firstOutside(of: absent) {
            return ExportFault(
                .missing,
                at: index,
                "The entry \(index) is absent, and nothing says that it was sealed."
            )
        }
        return lanes.finish()
    }

    /// What the entries are.
    func summary(_ head: ExportHead) -> ExportSummary {
        ExportSummary(head: head, tenant: scope?.tenant, entries: count, lanes: lanes.summary)
    }
}

/// The ids of entries, 16 bytes each where they are UUIDs.
private struct EntryIDs {
    private var uuids: Set<UUIDBits> = []
    private var others: Set<EntryID> = []

    private struct UUIDBits: Hashable {
        let high: UInt64
        let low: UInt64
    }

    mutating func reserve(_ count: Int) { uuids.reserveCapacity(count) }

    /// Adds an id; answers whether it is new.
    mutating func insert(_ id: EntryID) -> Bool {
        switch id {
        case .uuid(let high, let low): uuids.insert(UUIDBits(high: high, low: low)).inserted
        case .other: others.insert(id).inserted
        }
    }
}
