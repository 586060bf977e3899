/// One place in which two documents differ.
package struct JSONDifference: Sendable {
    /// Where: of what was removed, its place in the first document; else its place in the second.
    package let pointer: JSONPointer
    /// What stands there in the first document; nil where it was added.
    package let before: JSONView?
    /// What stands there in the second document; nil where it was removed.
    package let after: JSONView?
}

extension JSONView {
    /// The places in which another document differs from this one, in the order of the other's members.
    ///
    /// Numbers are compared by value, members by name. Of arrays the equal elements at both ends belong together, and
    /// what lies between is compared one by one; so an element that was put in or taken out is one difference.
    package func differences(to other: JSONView) -> [JSONDifference] {
        var found: [JSONDifference] = []
        compare(with: other, at: JSONPointer(), into: &found)
        return found
    }

    private func compare(with other: JSONView, at pointer: JSONPointer, into found: inout [JSONDifference]) {
        guard !isSame(as: other) else { return }
        switch (kind, other.kind) {
        case (.object, .object): compareMembers(with: other, at: pointer, into: &found)
        case (.array, .array): compareElements(with: other, at: pointer, into: &found)
        default: found.append(JSONDifference(pointer: pointer, before: self, after: other))
        }
    }

    private func compareMembers(with other: JSONView, at pointer: JSONPointer, into found: inout [JSONDifference]) {
        let (own, others) = (valuesByName, other.valuesByName)
        for member in members where others[Array(member.key.utf8)] == nil {
            found.append(JSONDifference(pointer: pointer.appending(member.key), before: member.value, after: nil))
        }
        for member in other.members {
            let place = pointer.appending(member.key)
            if let before = own[Array(member.key.utf8)] {
                before.compare(with: member.value, at: place, into: &found)
            } else {
                found.append(JSONDifference(pointer: place, before: nil, after: member.value))
            }
        }
    }

    /// The members by name; names are compared byte for byte, and a document has none twice.
    private var valuesByName: [[UInt8]: JSONView] {
        Dictionary(members.map { (Array($0.key.utf8), $0.value) }) { first, _ in first }
    }

    private func compareElements(with other: JSONView, at pointer: JSONPointer, into found: inout [JSONDifference]) {
        let (before, after) = (Array(elements), Array(other.elements))
        let shorter = min(before.count, after.count)
        let head = (0..<shorter).first { !before[$0].isSame(as: after[$0]) } ?? shorter
        let tail =
            (0..<shorter - head).first { !before[before.count - 1 - $0].isSame(as: after[after.count - 1 - $0]) }
            ?? shorter - head
        let common = shorter - tail
        for index in head..<common {
            before[index].compare(with: after[index], at: pointer.appending(index), into: &found)
        }
        for index in common..<before.count - tail {
            found.append(JSONDifference(pointer: pointer.appending(index), before: before[index], after: nil))
        }
        for index in common..<after.count - tail {
            found.append(JSONDifference(pointer: pointer.appending(index), before: nil, after: after[index]))
        }
    }

    /// Whether two values are equal; numbers too large for a double, by their spelling.
    private func isSame(as other: JSONView) -> Bool {
        guard kind == other.kind else { return false }
        if rawBytes == other.rawBytes { return true }
        guard let own = try? canonicalBytes(), let others = try? other.canonicalBytes() else { return false }
        return own == others
    }
}
