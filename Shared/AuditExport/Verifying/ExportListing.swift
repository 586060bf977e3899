import MerkleLog

/// The files of an export, as they must be for the size of its tree.
struct ExportListing: Sendable {
    /// The tiles of level 0 whose entries have a file, by index.
    let bundles: Set<UInt64>

    /// Looks through a directory.
    ///
    /// Throws where something is missing or too many: the first path, in the order of their bytes.
    init(of folder: ExportFolder, size: UInt64) throws(ExportFault) {
        var files = Files(size: size)
        FolderWalk.walk(folder.descriptor) { files.add($0, $1) }
        let missing = TilePathOrder.first(size: size) { !files.tiles.contains($0) }.map { Array($0.path.utf8) }
        switch (missing, files.unexpected) {
        case (nil, nil): break
        case (let missing?, let unexpected?) where !missing.lexicographicallyPrecedes(unexpected.path):
            throw unexpected.fault
        case (let missing?, _):
            let path = ExportPlace.text(missing)
            throw ExportFault(.file, at: path, "The file \(path), which an export of \(size) entries has, is missing.")
        case (nil, let unexpected?): throw unexpected.fault
        }
        bundles = files.bundles
    }

    /// What was found so far.
    private struct Files {
        let size: UInt64
        var tiles: Set<Tile> = []
        var bundles: Set<UInt64> = []
        var unexpected: Unexpected?

        init(size: UInt64) { self.size = size }

        mutating func add(_ path: [UInt8], _ kind: FolderWalk.Found) {
            guard kind == .file, isExpected(path) else {
                if let unexpected, unexpected.path.lexicographicallyPrecedes(path) { return }
                unexpected = Unexpected(path: path, kind: kind)
                return
            }
        }

        /// Whether an export of this size may have such a file; if so it is noted.
        private mutating func isExpected(_ path: [UInt8]) -> Bool {
            guard let path = String(validating: path, as: UTF8.self) else { return false }
            if path == "checkpoint" || path == "scope" { return true }
            let entries = "tile/entries/"
            guard path.utf8.starts(with: entries.utf8) else {
                guard let tile = Tile(path: path), isInTree(tile) else { return false }
                tiles.insert(tile)
                return true
            }
            // By bytes: what looks like one character may be a slash and something behind it.
            let rest = Substring(path.utf8.dropFirst(entries.utf8.count))
            guard let tile = Tile(path: "tile/0/\(rest)"), isInTree(tile) else { return false }
            bundles.insert(tile.index)
            return true
        }

        private func isInTree(_ tile: Tile) -> Bool { Tile(level: tile.level, index: tile.index, in: size) == tile }
    }

    /// Something that no export of this size has.
    private struct Unexpected {
        let path: [UInt8]
        let kind: FolderWalk.Found

        var fault: ExportFault {
            let text = ExportPlace.text(path)
            let meaning =
                switch kind {
                case .file: "The file \(text) does not belong to an export of this size."
                case .irregular: "\(text) is neither a regular file nor a directory."
                case .unreadable: "The directory \(text) cannot be read."
                }
            return ExportFault(.file, at: text, meaning)
        }
    }
}
