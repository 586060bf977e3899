import Dispatch
import MerkleLog
import Synchronization

/// Verifies an export, offline, as the format's description says: its steps in their order, up to the first fault.
///
/// Whoever made the export is not trusted: what it holds can make the verification slow, but not end it. Memory is taken
/// for the id of each entry and for each lane; the entries themselves are read a few files at a time.
package struct ExportVerifier: Sendable {
    private let keys: ExportKeys
    private let known: [[UInt8]]

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
    /// - Throws: Where the system keeps it from being found.
    package func verify(
        _ directory: String,
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws(ExportError) -> ExportVerdict {
        do throws(ExportStop) {
            return try check(directory, progress)
        } catch {
            switch error {
            case .fault(let fault): return .bad(fault)
            case .failure(let failure): throw failure
            }
        }
    }

    private func check(
        _ directory: String,
        _ progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws(ExportStop) -> ExportVerdict {
        let folder = try ExportStop.failing { () throws(ExportError) in try ExportFolder(directory) }
        let heads = ExportHeads(keys: keys)
        let head = try heads.head(of: folder)
        let earlier = try heads.earlier(known, than: head.checkpoint)
        let scope = try heads.scope(of: folder, head.checkpoint)
        let size = head.checkpoint.size
        let listing = try ExportListing(of: folder, size: size)
        for tile in Tile.all(size: size) {
            try folder.checkSize(of: tile)
        }
        var tree = TreeCheck(head.checkpoint, earlier: earlier.map(\.size))
        var entries = EntriesCheck(size: size, scope: scope)
        entries.reserve(min(listing.bundles.count * Tile.fullWidth, Int(size)))
        let bundles = BundleCheck(
            folder: folder,
            size: size,
            listing: listing,
            tenant: scope.map { Array($0.tenant.utf8) }
        )
        let isStored = { (tile: Tile, hashes: [MerkleHash]) throws(ExportStop) in try folder.hashes(of: tile) == hashes
        }
        try read(bundles, size) { (report) throws(ExportStop) in
            try tree.append(claimed: report.claimed, actual: report.actual, isStored: isStored)
            entries.append(report)
            progress(report.start + UInt64(report.claimed.count), size)
        }
        try tree.finish(isStored: isStored)
        for checkpoint in earlier where !tree.agrees(with: checkpoint) {
            let meaning =
                "The first \(checkpoint.size) entries are not those of the earlier checkpoint: there are two histories."
            throw .fault(.fork, at: checkpoint.size, meaning)
        }
        try entries.checkForm()
        try entries.checkScope()
        let missing = entries.missing()
        let summary = entries.summary(head)
        return missing.map { .incomplete($0, summary) } ?? .good(summary)
    }

    /// Reads all files of entries, several at a time, and hands over what they hold in their order.
    private func read(
        _ bundles: BundleCheck,
        _ size: UInt64,
        _ body: (BundleReport) throws(ExportStop) -> Void
    ) throws(ExportStop) {
        let count = (size - 1) / UInt64(Tile.fullWidth) + 1
        for start in Swift.stride(from: 0, to: count, by: Self.stride) {
            let window = start..<min(start + UInt64(Self.stride), count)
            let reports = Mutex<[Result<BundleReport, ExportStop>?]>(Array(repeating: nil, count: window.count))
            DispatchQueue.concurrentPerform(iterations: window.count) { position in
                guard let tile = Tile(level: 0, index: start + UInt64(position), in: size) else { return }
                let report = Result { () throws(ExportStop) in try bundles.report(tile) }
                reports.withLock { $0[position] = report }
            }
            for report in reports.withLock({ $0 }) {
                if let report { try body(report.get()) }
            }
        }
    }
}
