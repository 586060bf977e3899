#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension JSONParser {
    /// The number of members up to which names are compared each with each.
    private static var fewNames: Int { 16 }

    /// Refuses an object that names a member twice.
    ///
    /// Few names are compared pairwise by a 64-bit digest of their ends; many, or escaped ones, are sorted, which no
    /// choice of names can make slow.
    @inline(__always)
    mutating func checkNames(ofObjectAt index: Int) throws(JSONParsingError) {
        let count = nodes[index].count
        guard count > 1 else { return }
        guard let duplicate = findDuplicate(ofObjectAt: index, count: count) else { return }
        throw fault(.duplicateKey, "An object names a member twice", at: duplicate)
    }

    /// The offset of the first name found that an earlier member of the object has too.
    private func findDuplicate(ofObjectAt index: Int, count: Int) -> Int? {
        guard count <= Self.fewNames else { return findDuplicateBySorting(ofObjectAt: index, count: count) }
        return withUnsafeTemporaryAllocation(of: (digest: UInt64, name: Int).self, capacity: Self.fewNames) { seen in
            var name = index + 1
            for position in 0..<count {
                guard !nodes[name].flag else { return findDuplicateBySorting(ofObjectAt: index, count: count) }
                let digest = digest(ofNameAt: name)
                for earlier in 0..<position where seen[earlier].digest == digest {
                    if haveSameBytes(seen[earlier].name, name) { return Int(nodes[name].start) }
                }
                seen[position] = (digest, name)
                name = Int(nodes[name + 1].next)
            }
            return nil
        }
    }

    /// A digest that differs for most different names: their first and last eight bytes.
    @inline(__always)
    private func digest(ofNameAt index: Int) -> UInt64 {
        let start = Int(nodes[index].start) + 1
        let length = Int(nodes[index].end) - 1 - start
        guard let base = bytes.baseAddress, start + 8 <= end else {
            // A name this near the end is shorter than eight bytes; its digest must be the one it would have elsewhere.
            var head: UInt64 = 0
            for offset in 0..<length { head |= UInt64(bytes[start + offset]) << UInt64(64 - 8 * (length - offset)) }
            return head
        }
        let raw = UnsafeRawPointer(base)
        let head = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        guard length > 8 else {
            return length == 0 ? 0 : head << UInt64(64 - 8 * length)
        }
        let tail = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: start + length - 8, as: UInt64.self))
        return head &* 0x9E37_79B9_7F4A_7C15 ^ tail ^ UInt64(length)
    }

    private func haveSameBytes(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (nodes[left], nodes[right])
        let length = Int(left.end - left.start)
        guard length == Int(right.end - right.start), let base = bytes.baseAddress else { return false }
        return memcmp(base + Int(left.start), base + Int(right.start), length) == 0
    }

    private func findDuplicateBySorting(ofObjectAt index: Int, count: Int) -> Int? {
        var unescaped: [UInt8] = []
        var entries: [NameEntry] = []
        entries.reserveCapacity(count)
        var name = index + 1
        for _ in 0..<count {
            let node = nodes[name]
            let (start, end) = (Int(node.start) + 1, Int(node.end) - 1)
            if node.flag {
                let offset = unescaped.count
                JSONText.unescape(UnsafeBufferPointer(rebasing: bytes[start..<end]), into: &unescaped)
                let length = unescaped.count - offset
                entries.append(NameEntry(start: offset, length: length, isUnescaped: true, source: start - 1))
            } else {
                entries.append(NameEntry(start: start, length: end - start, isUnescaped: false, source: start - 1))
            }
            name = Int(nodes[name + 1].next)
        }
        return unescaped.withUnsafeBufferPointer { Self.findDuplicate(in: &entries, bytes, $0) }
    }

    private static func findDuplicate(
        in entries: inout [NameEntry],
        _ raw: UnsafeBufferPointer<UInt8>,
        _ unescaped: UnsafeBufferPointer<UInt8>
    ) -> Int? {
        func compare(_ left: NameEntry, _ right: NameEntry) -> Int32 {
            guard left.length == right.length else { return left.length < right.length ? -1 : 1 }
            guard left.length > 0, let first = (left.isUnescaped ? unescaped : raw).baseAddress,
                let second = (right.isUnescaped ? unescaped : raw).baseAddress
            else { return 0 }
            return memcmp(first + left.start, second + right.start, left.length)
        }
        entries.sort { left, right in
            let order = compare(left, right)
            return order == 0 ? left.source < right.source : order < 0
        }
        var found: Int?
        for (left, right) in zip(entries, entries.dropFirst()) where compare(left, right) == 0 {
            found = min(found ?? right.source, right.source)
        }
        return found
    }
}

/// Where an object's name is, in the document or in the buffer of unescaped names.
private struct NameEntry {
    let start: Int
    let length: Int
    let isUnescaped: Bool
    let source: Int
}
