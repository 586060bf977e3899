import Crypto
import JSON
import MerkleLog

/// What the verification of an export needs to know of one entry.
struct EntryFacts: Sendable {
    /// The largest number of a lane or an epoch: whole numbers up to it survive a double.
    static let largestNumber: Int64 = 9_007_199_254_740_991

    let id: EntryID
    let lane: LaneName
    let seq: Int64

    /// The ranges that the entry says were sealed.
    let seals: [ClosedRange<UInt64>]

    /// What the entry says about the end of a lane.
    let closing: LaneClosing?
}

/// The id of an entry, in as little room as it needs.
enum EntryID: Sendable, Hashable {
    /// The 16 bytes of a UUID that is written in lower case.
    case uuid(UInt64, UInt64)
    /// SHA-256 of any other id.
    case other(MerkleHash)

    init(_ text: UnsafeBufferPointer<UInt8>) {
        if let uuid = Self.uuid(text) {
            self = uuid
            return
        }
        guard let digest = MerkleHash(Array(SHA256.hash(data: Array(text)))) else {
            preconditionFailure("SHA-256 has 32 bytes.")
        }
        self = .other(digest)
    }

    private static func uuid(_ text: UnsafeBufferPointer<UInt8>) -> EntryID? {
        guard text.count == 36 else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for (position, byte) in text.enumerated() {
            switch (position, byte) {
            case (8, UInt8(ascii: "-")), (13, UInt8(ascii: "-")), (18, UInt8(ascii: "-")), (23, UInt8(ascii: "-")):
                break
            case (8, _), (13, _), (18, _), (23, _): return nil
            default:
                let digit: UInt8
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
                default: return nil
                }
                high = high << 4 | low >> 60
                low = low << 4 | UInt64(digit)
            }
        }
        return .uuid(high, low)
    }
}

/// Why the bytes of an entry are none, as the end of a sentence.
struct EntryRefusal: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

extension EntryFacts {
    /// Reads the bytes of an entry, once; throws where they are not in canonical form or lack what an entry has.
    init(reading bytes: [UInt8], at index: UInt64, tenant: [UInt8]?) throws(EntryRefusal) {
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: bytes, limits: .wrapped)
        } catch {
            throw EntryRefusal("it is not JSON: \(error.message)")
        }
        guard document.isCanonical else { throw EntryRefusal("it is not in canonical form") }
        guard document.root.kind == .object else { throw EntryRefusal("it is no object") }
        try self.init(Members(of: document.root), at: index, tenant: tenant)
    }

    private init(_ members: Members, at index: UInt64, tenant: [UInt8]?) throws(EntryRefusal) {
        guard members.version?.int64Value == 1 else { throw EntryRefusal("its v is not 1") }
        id = try EntryFacts.text("id", members.id) { EntryID($0) }
        try EntryFacts.text("time", members.time) { _ in }
        let isOwn = try EntryFacts.text("tenant", members.tenant) { text in
            tenant?.withUnsafeBufferPointer { $0.elementsEqual(text) } ?? true
        }
        guard isOwn else { throw EntryRefusal("it is of another tenant") }
        let producer = try EntryFacts.text("producer", members.producer) { Array($0) }
        lane = LaneName(producer: producer, epoch: try EntryFacts.number("epoch", members.epoch))
        seq = try EntryFacts.number("seq", members.seq)
        try EntryFacts.text("action", members.action) { _ in }
        guard members.actor?.kind == .object else { throw EntryRefusal("its actor is no object") }
        guard members.object?.kind == .object else { throw EntryRefusal("its object is no object") }
        seals = members.seals(before: index)
        closing = members.closing
    }

    /// A text that must be there and not empty.
    private static func text<Result>(
        _ name: StaticString,
        _ view: JSONView?,
        _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) throws(EntryRefusal) -> Result {
        let result = view?.withStringUTF8 { $0.isEmpty ? nil : body($0) }
        guard let result = result ?? nil else { throw EntryRefusal("its \(name) is no text, or empty") }
        return result
    }

    /// A whole number that must be there.
    private static func number(_ name: StaticString, _ view: JSONView?) throws(EntryRefusal) -> Int64 {
        guard let number = view?.int64Value, (1...largestNumber).contains(number) else {
            throw EntryRefusal("its \(name) is no whole number from 1 to 2^53 - 1")
        }
        return number
    }
}

/// The members of an entry that matter here, found in one pass over its names.
private struct Members {
    var version: JSONView?
    var id: JSONView?
    var time: JSONView?
    var tenant: JSONView?
    var producer: JSONView?
    var epoch: JSONView?
    var seq: JSONView?
    var action: JSONView?
    var actor: JSONView?
    var object: JSONView?
    var outcome: JSONView?
    var after: JSONView?

    init(of root: JSONView) {
        for member in root.members {
            switch member.key {
            case "action": action = member.value
            case "actor": actor = member.value
            case "after": after = member.value
            case "epoch": epoch = member.value
            case "id": id = member.value
            case "object": object = member.value
            case "outcome": outcome = member.value
            case "producer": producer = member.value
            case "seq": seq = member.value
            case "tenant": tenant = member.value
            case "time": time = member.value
            case "v": version = member.value
            default: break
            }
        }
    }

    /// The ranges before an index that the entry says were sealed; anything else among them does not count.
    func seals(before index: UInt64) -> [ClosedRange<UInt64>] {
        guard
            action?.isString("seal") == true, outcome?.isString("done") == true, tenant?.isString("batuta") == true,
            let ranges = after?["ranges"]
        else { return [] }
        return ranges.elements.compactMap { range in
            guard
                range.count == 2, let first = Self.number(range[0]), let last = Self.number(range[1]), first <= last,
                last < index
            else { return nil }
            return UInt64(first)...UInt64(last)
        }
    }

    /// What the entry says about the end of a lane, if it names a lane and a number.
    var closing: LaneClosing? {
        guard
            action?.isString("lane.closed") == true,
            let name = object?["id"]?.withStringUTF8({ Array($0) }), let lane = LaneName(name),
            let last = Self.number(after?["audit"])
        else { return nil }
        return LaneClosing(lane: lane, last: last)
    }

    /// A whole number from 0.
    private static func number(_ view: JSONView?) -> Int64? {
        view?.int64Value.flatMap { (0...EntryFacts.largestNumber).contains($0) ? $0 : nil }
    }
}
