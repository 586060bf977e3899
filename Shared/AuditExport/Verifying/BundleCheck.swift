import MerkleLog

/// What one file of entries has, and the tile that belongs to it.
struct BundleReport: Sendable {
    /// The index of the first position.
    let start: UInt64

    /// The hashes of the tile.
    let claimed: [MerkleHash]

    /// The same with the hashes of the entries in their place, where they are there; nil where nothing differs.
    var actual: [MerkleHash]?

    /// For each position what the entry says, or nil where it is absent; not beyond the first that is none.
    var entries: [EntryFacts?] = []

    /// Why the entry behind ``entries`` is none.
    var refusal: EntryRefusal?
}

/// Reads files of entries with their tiles, each once and apart from the others, so that several may be read at a time.
struct BundleCheck: Sendable {
    let folder: ExportFolder
    let size: UInt64
    let listing: ExportListing

    /// The tenant whose entries alone may be there.
    let tenant: [UInt8]?

    /// Reads what belongs to a tile of level 0; throws where the tile or the file of entries has not its form.
    func report(_ tile: Tile) throws(ExportFault) -> BundleReport {
        let claimed = try folder.hashes(of: tile)
        var report = BundleReport(start: tile.index << UInt64(Tile.height), claimed: claimed)
        guard listing.bundles.contains(tile.index) else {
            report.entries = Array(repeating: nil, count: tile.width)
            return report
        }
        let bytes = try bytes(of: tile)
        guard let ranges = EntryBundle.ranges(in: bytes, count: tile.width) else {
            throw malformed(tile, "it has not exactly \(tile.width) entries, one of them there")
        }
        compare(bytes, ranges, &report)
        read(bytes, ranges, &report)
        return report
    }

    private func compare(_ bytes: [UInt8], _ ranges: [Range<Int>], _ report: inout BundleReport) {
        bytes.withUnsafeBytes { bytes in
            for (position, range) in ranges.enumerated() where !range.isEmpty {
                let hash = MerkleHash.leaf(UnsafeRawBufferPointer(rebasing: bytes[range]))
                guard hash != report.claimed[position] else { continue }
                report.actual = report.actual ?? report.claimed
                report.actual?[position] = hash
            }
        }
    }

    private func read(_ bytes: [UInt8], _ ranges: [Range<Int>], _ report: inout BundleReport) {
        report.entries.reserveCapacity(ranges.count)
        for range in ranges {
            guard !range.isEmpty else {
                report.entries.append(nil)
                continue
            }
            do throws(EntryRefusal) {
                let index = report.start + UInt64(report.entries.count)
                report.entries.append(try EntryFacts(reading: Array(bytes[range]), at: index, tenant: tenant))
            } catch {
                report.refusal = error
                return
            }
        }
    }

    private func bytes(of tile: Tile) throws(ExportFault) -> [UInt8] {
        let path = Tile.bundlePath(index: tile.index, width: tile.width)
        let content = folder.read(path, sizes: 0...EntryBundle.maximumSize)
        guard case .bytes(let bytes) = content else { throw malformed(tile, content.refusal ?? "") }
        return bytes
    }

    private func malformed(_ tile: Tile, _ reason: String) -> ExportFault {
        let path = Tile.bundlePath(index: tile.index, width: tile.width)
        return ExportFault(.bundle, at: path, "The file of entries \(path) is none: \(reason).")
    }
}

extension ExportFolder {
    /// Checks that a tile can be opened and has its size, without reading it; throws where it is not so.
    func checkSize(of tile: Tile) throws(ExportFault) {
        guard size(of: tile.path) == tile.byteCount else { throw tile.malformed("it has not 32 bytes for each hash") }
    }

    /// Reads a tile; throws where it has not its size.
    func hashes(of tile: Tile) throws(ExportFault) -> [MerkleHash] {
        let content = read(tile.path, sizes: tile.byteCount...tile.byteCount)
        guard case .bytes(let bytes) = content, let hashes = [MerkleHash](concatenated: bytes) else {
            throw tile.malformed(content.refusal ?? "it has not 32 bytes for each hash")
        }
        return hashes
    }
}

extension Tile {
    fileprivate var byteCount: Int { width * MerkleHash.byteCount }

    fileprivate func malformed(_ reason: String) -> ExportFault {
        ExportFault(.tile, at: path, "The tile \(path) is none: \(reason).")
    }
}
