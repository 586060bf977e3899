/// The rules of a `tracestate` header.
enum TraceState {
    /// The most members that a list may have.
    static let greatestCount = 32
    /// The most bytes that are carried on.
    static let greatestLength = 2048

    /// The list as it came, or `nil` where it breaks the rules or is empty.
    static func checked(_ text: String) -> String? {
        guard text.utf8.count <= greatestLength else { return nil }
        let members = text.utf8.split(separator: 0x2C, omittingEmptySubsequences: true)
            .map { trimmed($0) }
            .filter { !$0.isEmpty }
        guard (1...greatestCount).contains(members.count) else { return nil }
        var keys: Set<[UInt8]> = []
        for member in members {
            guard let equals = member.firstIndex(of: 0x3D) else { return nil }
            let key = Array(member[..<equals])
            guard isKey(key), isValue(member[member.index(after: equals)...]) else { return nil }
            guard keys.insert(key).inserted else { return nil }
        }
        return text
    }

    private static func trimmed(_ member: Substring.UTF8View) -> ArraySlice<UInt8> {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let bytes = Array(member)
        let start = bytes.firstIndex { !isBlank($0) } ?? bytes.endIndex
        let end = (bytes.lastIndex { !isBlank($0) } ?? start - 1) + 1
        return bytes[start..<end]
    }

    private static func isKey(_ key: [UInt8]) -> Bool {
        guard (1...256).contains(key.count), let first = key.first else { return false }
        guard (0x61...0x7A).contains(first) || (0x30...0x39).contains(first) else { return false }
        return key.allSatisfy { byte in
            switch byte {
            case 0x61...0x7A, 0x30...0x39, 0x5F, 0x2D, 0x2A, 0x2F, 0x40: true
            default: false
            }
        }
    }

    private static func isValue(_ value: ArraySlice<UInt8>) -> Bool {
        value.count <= 256 && !value.isEmpty
            && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x2C && $0 != 0x3D }
    }
}
