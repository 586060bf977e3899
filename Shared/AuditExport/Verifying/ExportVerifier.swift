import Dispatch
import MerkleLog
import Synchronization

/// Verifies an export, offline, as the format's description says: its steps in their order, up to the first fault.
///
/// Whoever made the export is not trusted: what it holds can make the verification slow, but not end it. Memory is
/// taken for the id of each entry and for each lane; the entries themselves are read a few files at a time.
package struct ExportVerifier: Sendable {
    private let keys: ExportKeys
    private let known: [[UInt8]]

    /// The most bytes of a checkpoint, in an export or kept earlier.
    package static let maximumNoteSize = OpenedNote.maximumSize

    /// How many files of entries are read before what they hold is put together.
    private static let stride = 64

    /// Takes the keys that are trusted, and checkpoints of the log that were kept earlier, as they were stored.
    package init(keys: ExportKeys, known: [[UInt8]] = []) {
        self.keys = keys
        self.known = known
    }

    /// Verifies the export in a directory.
    ///
    /// It blocks the thread, and uses all processors.
    ///
    /// - Parameters:
    ///   - directory: The path of the export.
    ///   - progress: Is told now and then how many entries of how many were looked at.
    /// - Returns: The verdict.
    /// - Throws: Where the directory cannot be opened.
    package func verify(
        _ directory: String,
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws(ExportError) -> ExportVerdict {
        let folder = try ExportFolder(directory)
        do throws(ExportFault) {
            return try check(folder, progress)
        } catch {
            return .bad(error)
        }
    }

    private func check(
        _ folder: ExportFolder,
        _ progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws(ExportFault) -> ExportVerdict {
        let heads = ExportHeads(keys: keys)
        let head = try heads.head(of: folder)
        let earlier = try heads.earlier(known, than: head.checkpoint)
        let scope = try heads.scope(of: folder, head.checkpoint)
        let listing = try ExportListing(of: folder, size: head.checkpoint.size)
        for tile in Tile.all(size: head.checkpoint.size) {
            try folder.checkSize(of: tile)
        }
        var tree = TreeCheck(head.checkpoint, earlier: earlier)
        var entries = EntriesCheck(size: head.checkpoint.size, scope: scope, files: listing.bundles.count)
        let tenant = scope.map { Array($0.tenant.utf8) }
        let bundles = BundleCheck(folder: folder, size: head.checkpoint.size, listing: listing, tenant: tenant)
        let isStored = { (tile: Tile, hashes: [MerkleHash]) throws(ExportFault) in try folder.hashes(of: tile) == hashes
        }
        try read(bundles) { (report) throws(ExportFault) in
            try tree.append(claimed: report.claimed, actual: report.actual, isStored: isStored)
            entries.append(report)
            progress(report.start + UInt64(report.claimed.count), head.checkpoint.size)
        }
        try tree.finish(isStored: isStored)
        try entries.finish()
        let missing = entries.missing()
        let summary = entries.summary(head)
        return missing.map { .incomplete($0, summary) } ?? .good(summary)
    }

    /// Reads all files of entries, several at a time, and hands over what they hold in their order.
    private func read(
        _ bundles: BundleCheck,
        _ body: (BundleReport) throws(ExportFault) -> Void
    ) throws(ExportFault) {
        let count = (bundles.size - 1) / UInt64(Tile.fullWidth) + 1
        for start in Swift.stride(from: 0, to: count, by: Self.stride) {
            let window = start..<min(start + UInt64(Self.stride), count)
            let reports = Mutex<[Result<BundleReport, ExportFault>?]>(Array(repeating: nil, count: window.count))
            DispatchQueue.concurrentPerform(iterations: window.count) { position in
                guard let tile = Tile(level: 0, index: start + UInt64(position), in: bundles.size) else { return }
                let report = Result { () throws(ExportFault) in try bundles.report(tile) }
                reports.withLock { $0[position] = report }
            }
            for report in reports.withLock({ $0 }) {
                if let report { try body(report.get()) }
            }
        }
    }
}
