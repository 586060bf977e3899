import MerkleLog

/// A file of entries: for each of its positions the length in two bytes, big-endian, and so many bytes of the entry.
///
/// The length 0 stands for an entry that is absent.
package struct EntryBundle: Sendable, Hashable {
    /// The most bytes of an entry.
    package static let maximumEntrySize = 65_535

    /// The most bytes of a file: 256 of the longest entries.
    package static let maximumSize = Tile.fullWidth * (2 + maximumEntrySize)

    /// The content of the file.
    package private(set) var bytes: [UInt8] = []

    /// How many positions there are, those of absent entries counted.
    package private(set) var count = 0

    /// Whether no entry is there, so that the file is left out.
    package private(set) var isEmpty = true

    package init() {}

    /// Adds an entry of 1 to 65,535 bytes, or the place of one that is absent; throws for any other length.
    package mutating func append(_ entry: [UInt8]?) throws(ExportError) {
        let length = entry?.count ?? 0
        guard entry == nil || (1...Self.maximumEntrySize).contains(length) else {
            throw ExportError(.invalidEntry, "An entry has 1 to \(Self.maximumEntrySize) bytes, not \(length).")
        }
        bytes.append(UInt8(length >> 8))
        bytes.append(UInt8(length & 0xff))
        if let entry {
            bytes.append(contentsOf: entry)
            isEmpty = false
        }
        count += 1
    }

    /// Where the entries are in the bytes of a file, an empty range for each that is absent.
    ///
    /// Nil where the bytes are not exactly so many entries, or all of them are absent.
    package static func ranges(in bytes: [UInt8], count: Int) -> [Range<Int>]? {
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(count)
        var at = 0
        var isEmpty = true
        for _ in 0..<count {
            guard bytes.count - at >= 2 else { return nil }
            let length = Int(bytes[at]) << 8 | Int(bytes[at + 1])
            at += 2
            guard bytes.count - at >= length else { return nil }
            ranges.append(at..<at + length)
            at += length
            isEmpty = isEmpty && length == 0
        }
        return at == bytes.count && !isEmpty ? ranges : nil
    }
}
