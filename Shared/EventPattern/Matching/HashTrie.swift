/// A map that is never changed, only replaced: a new one shares all but a few nodes with the one it came from.
///
/// A hash array mapped trie (Bagwell, "Ideal hash trees", 2001). An element brings its own key; the trie only knows
/// hashes, so that an element can be found by bytes without making a key of them.
struct HashTrie<Element: Sendable>: Sendable {
    private let root: Node?

    let count: Int

    init() { self.init(root: nil, count: 0) }

    private init(root: Node?, count: Int) {
        self.root = root
        self.count = count
    }

    var isEmpty: Bool { count == 0 }

    /// The element with a hash that satisfies a condition.
    @inline(__always)
    func first(_ hash: UInt64, where isElement: (Element) -> Bool) -> Element? {
        guard var node = root else { return nil }
        var rest = hash
        while true {
            let bit: UInt32 = 1 << UInt32(truncatingIfNeeded: rest & 31)
            guard node.bitmap & bit != 0 else { return nil }
            switch node.slots[(node.bitmap & (bit - 1)).nonzeroBitCount] {
            case .one(let found, let element): return found == hash && isElement(element) ? element : nil
            case .several(let found, let elements): return found == hash ? elements.first(where: isElement) : nil
            case .node(let child): node = child
            }
            rest >>= 5
        }
    }

    /// The trie in which the element with a hash that satisfies a condition is another one, or is new, or is gone.
    ///
    /// - Parameters:
    ///   - hash: The element's hash, before and after.
    ///   - isElement: Which of the elements with that hash.
    ///   - change: Makes the new element from the present one.
    /// - Returns: The new trie; this one stays as it is.
    func updating(
        _ hash: UInt64,
        where isElement: (Element) -> Bool,
        to change: (Element?) -> Element?
    ) -> HashTrie {
        var difference = 0
        let slot = Self.update(root.map { .node($0) }, hash, shift: 0, isElement) { present in
            let changed = change(present)
            difference = (changed == nil ? 0 : 1) - (present == nil ? 0 : 1)
            return changed
        }
        guard let slot else { return HashTrie() }
        guard case .node(let node) = slot else {
            return HashTrie(root: Node(bitmap: Self.bit(slot, shift: 0), slots: [slot]), count: count + difference)
        }
        return HashTrie(root: node, count: count + difference)
    }

    /// Visits every element, in no particular order.
    func visit(_ body: (Element) -> Void) {
        if let root { Self.visit(root, body) }
    }
}

extension HashTrie {
    private final class Node: Sendable {
        let bitmap: UInt32
        let slots: [Slot]

        init(bitmap: UInt32, slots: [Slot]) {
            self.bitmap = bitmap
            self.slots = slots
        }
    }

    private enum Slot: Sendable {
        case one(UInt64, Element)
        /// Elements whose whole hashes are equal.
        case several(UInt64, [Element])
        case node(Node)

        var isNode: Bool {
            if case .node = self { true } else { false }
        }
    }

    private static func visit(_ node: Node, _ body: (Element) -> Void) {
        for slot in node.slots {
            switch slot {
            case .one(_, let element): body(element)
            case .several(_, let elements): for element in elements { body(element) }
            case .node(let child): visit(child, body)
            }
        }
    }

    /// The bit of a slot that is no node.
    private static func bit(_ slot: Slot, shift: UInt64) -> UInt32 {
        switch slot {
        case .one(let hash, _), .several(let hash, _): bit(hash, shift: shift)
        case .node: 0
        }
    }

    private static func bit(_ hash: UInt64, shift: UInt64) -> UInt32 {
        1 << UInt32(truncatingIfNeeded: hash >> shift & 31)
    }

    private static func update(
        _ slot: Slot?,
        _ hash: UInt64,
        shift: UInt64,
        _ isElement: (Element) -> Bool,
        _ change: (Element?) -> Element?
    ) -> Slot? {
        switch slot {
        case nil:
            return change(nil).map { .one(hash, $0) }
        case .one(let found, let element)? where found == hash:
            if isElement(element) { return change(element).map { .one(hash, $0) } }
            guard let added = change(nil) else { return slot }
            return .several(hash, [element, added])
        case .several(let found, var elements)? where found == hash:
            let index = elements.firstIndex(where: isElement)
            let changed = change(index.map { elements[$0] })
            if let index { elements.remove(at: index) }
            if let changed { elements.insert(changed, at: index ?? elements.count) }
            return elements.count == 1 ? .one(hash, elements[0]) : .several(hash, elements)
        case .one(let found, _)?, .several(let found, _)?:
            guard let added = change(nil), let slot else { return slot }
            return .node(join(slot, found, .one(hash, added), hash, shift: shift))
        case .node(let node)?:
            return update(node, hash, shift: shift, isElement, change)
        }
    }

    private static func update(
        _ node: Node,
        _ hash: UInt64,
        shift: UInt64,
        _ isElement: (Element) -> Bool,
        _ change: (Element?) -> Element?
    ) -> Slot? {
        let bit = bit(hash, shift: shift)
        let index = (node.bitmap & (bit - 1)).nonzeroBitCount
        let present = node.bitmap & bit != 0 ? node.slots[index] : nil
        let updated = update(present, hash, shift: shift + 5, isElement, change)
        var slots = node.slots
        switch (present, updated) {
        case (nil, nil): return .node(node)
        case (nil, let added?): slots.insert(added, at: index)
        case (_?, let replacement?): slots[index] = replacement
        case (_?, nil): slots.remove(at: index)
        }
        if slots.isEmpty { return nil }
        // A lone element moves up, so that tries of the same elements have the same shape.
        if slots.count == 1, !slots[0].isNode { return slots[0] }
        return .node(Node(bitmap: updated == nil ? node.bitmap & ~bit : node.bitmap | bit, slots: slots))
    }

    /// A node that holds two slots with different hashes.
    private static func join(
        _ left: Slot,
        _ leftHash: UInt64,
        _ right: Slot,
        _ rightHash: UInt64,
        shift: UInt64
    ) -> Node {
        let leftBit = bit(leftHash, shift: shift)
        let rightBit = bit(rightHash, shift: shift)
        guard leftBit != rightBit else {
            return Node(bitmap: leftBit, slots: [.node(join(left, leftHash, right, rightHash, shift: shift + 5))])
        }
        return Node(bitmap: leftBit | rightBit, slots: leftBit < rightBit ? [left, right] : [right, left])
    }
}
