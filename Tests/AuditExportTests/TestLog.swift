import AuditExport
import Crypto
import MerkleLog

/// Entries in lanes, as tests make them.
struct TestLog {
    /// The canonical bytes of all entries, and of those that take the place of absent ones.
    private(set) var entries: [[UInt8]] = []

    /// The tenant of each entry.
    private(set) var tenants: [String] = []

    /// The ranges of indexes that the entry at an index says were sealed.
    private(set) var seals: [Int: [ClosedRange<Int>]] = [:]

    private var next: [String: Int64] = [:]

    /// What the id of each entry ends with, so that logs which differ have no entry in common.
    let variant: Int

    init(variant: Int = 0) { self.variant = variant }

    /// Adds entries of two tenants to several lanes in turn.
    init(entries count: Int, lanes: Int = 3, variant: Int = 0) {
        self.init(variant: variant)
        for index in 0..<count {
            add(producer: "engine/a/\(index % lanes)", tenant: index.isMultiple(of: 2) ? "default" : "acme")
        }
    }

    /// Adds an entry to a lane, by default with the number that is due; gives its index.
    @discardableResult
    mutating func add(
        producer: String = "engine/a/0",
        epoch: Int64 = 1,
        number: Int64? = nil,
        tenant: String = "default",
        id: String? = nil,
        action: String = "create",
        object: String = #"{"id":"1","type":"action"}"#,
        after: String = "null",
        outcome: String = "done"
    ) -> Int {
        let lane = "\(producer)/\(epoch)"
        let number = number ?? next[lane, default: 1]
        next[lane] = number + 1
        let text =
            #"{"action":"\#(action)","actor":{"id":"w","type":"worker"},"after":\#(after),"before":null,"#
            + #""epoch":\#(epoch),"id":"\#(id ?? Self.id(entries.count, variant))","object":\#(object),"#
            + #""outcome":"\#(outcome)","producer":"\#(producer)","seq":\#(number),"tenant":"\#(tenant)","#
            + #""time":"2026-11-21T01:29:15.123456Z","v":1}"#
        return add(bytes: Array(text.utf8), tenant: tenant)
    }

    /// Adds bytes as they are, entry or not.
    @discardableResult
    mutating func add(bytes: [UInt8], tenant: String = "default") -> Int {
        entries.append(bytes)
        tenants.append(tenant)
        return entries.count - 1
    }

    /// Adds the entry that a lane has ended, in a lane of its own.
    @discardableResult
    mutating func close(_ producer: String, epoch: Int64 = 1, at last: Int64? = nil) -> Int {
        let lane = "\(producer)/\(epoch)"
        let last = last ?? next[lane, default: 1] - 1
        return add(
            producer: "engine/b/0",
            tenant: "batuta",
            action: "lane.closed",
            object: #"{"id":"\#(lane)","type":"lane"}"#,
            after: #"{"audit":\#(last),"commands":0,"signals":0}"#
        )
    }

    /// Adds the entry that ranges were sealed.
    @discardableResult
    mutating func seal(_ ranges: [ClosedRange<Int>]) -> Int {
        let list = ranges.map { "[\($0.lowerBound),\($0.upperBound)]" }.joined(separator: ",")
        let index = add(
            producer: "engine/b/0",
            tenant: "batuta",
            action: "seal",
            after: #"{"ranges":[\#(list)]}"#
        )
        seals[index] = ranges
        return index
    }

    /// Changes an entry's bytes.
    mutating func replace(_ index: Int, _ bytes: [UInt8]) { entries[index] = bytes }

    /// The first entries.
    func prefix(_ count: Int) -> TestLog {
        var log = self
        log.entries = Array(entries.prefix(count))
        log.tenants = Array(tenants.prefix(count))
        log.seals = seals.filter { $0.key < count }
        return log
    }

    private static func id(_ index: Int, _ variant: Int) -> String {
        let digits = String(index, radix: 16)
        return "01a1fc06-0000-7000-8\(variant)00-" + String(repeating: "0", count: 12 - digits.count) + digits
    }
}

/// The tree, written as its definition stands.
enum TestTree {
    /// The root over leaves.
    static func root(_ leaves: ArraySlice<MerkleHash>) -> MerkleHash {
        guard let first = leaves.first else { return .empty }
        guard leaves.count > 1 else { return first }
        var half = 1
        while half * 2 < leaves.count { half *= 2 }
        let middle = leaves.startIndex + half
        return .node(root(leaves[..<middle]), root(leaves[middle...]))
    }

    /// The inclusion proof of a leaf, from the leaf upwards.
    static func inclusion(_ index: Int, _ leaves: ArraySlice<MerkleHash>) -> [MerkleHash] {
        guard leaves.count > 1 else { return [] }
        var half = 1
        while half * 2 < leaves.count { half *= 2 }
        let middle = leaves.startIndex + half
        guard index < middle else { return inclusion(index, leaves[middle...]) + [root(leaves[..<middle])] }
        return inclusion(index, leaves[..<middle]) + [root(leaves[middle...])]
    }

    /// The tiles of all levels, by path.
    static func tiles(_ leaves: [MerkleHash]) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        var hashes = leaves
        var level = 0
        while !hashes.isEmpty {
            for start in stride(from: 0, to: hashes.count, by: 256) {
                let part = Array(hashes[start..<min(start + 256, hashes.count)])
                files["tile/\(level)/\(path(start / 256, width: part.count))"] = part.concatenated
            }
            hashes = (0..<hashes.count / 256).map { root(hashes[($0 * 256)..<($0 * 256 + 256)]) }
            level += 1
        }
        return files
    }

    /// The path of a tile below its level.
    static func path(_ index: Int, width: Int) -> String {
        var groups = [String(String(1_000 + index % 1_000).dropFirst())]
        var rest = index / 1_000
        while rest > 0 {
            groups.insert("x" + String(String(1_000 + rest % 1_000).dropFirst()), at: 0)
            rest /= 1_000
        }
        return groups.joined(separator: "/") + (width < 256 ? ".p/\(width)" : "")
    }
}
