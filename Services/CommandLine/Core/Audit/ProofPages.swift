import Foundation
import JSON
import MerkleLog
import NIOHTTP1

/// Fetches entries with proofs from the gateway, page after page under one checkpoint.
struct ProofPages {
    let client: GatewayClient
    let search: [URLQueryItem]

    private static let pageSize = "200"

    /// Writes them to a file that is there once it is complete and on the disk.
    ///
    /// - Throws: `CommandLineError`; then there is no file.
    func write(to path: String) async throws {
        let file = try FinishedFile(path)
        var progress = ProgressLine()
        defer { progress.clear() }
        var query: [URLQueryItem]? = search + [URLQueryItem(name: "limit", value: Self.pageSize)]
        var checkpoint: Checkpoint?
        var count: UInt64 = 0
        while let asked = query {
            let answer = try await client.patiently("/api/audit/proofs", query: asked)
            // Every page is such a file itself; of those that follow, the first line is left out.
            guard answer.body.last == Self.lineFeed, let end = answer.body.firstIndex(of: Self.lineFeed) else {
                throw Self.unexpected
            }
            let head = try Self.checkpoint(answer.body[..<end])
            guard checkpoint == nil || checkpoint == head else {
                throw CommandLineError(.answer, "the gateway's pages are of different checkpoints; nothing was written")
            }
            let lines = answer.body[(end + 1)...]
            try file.write(checkpoint == nil ? answer.body[...] : lines)
            count += UInt64(lines.count { $0 == Self.lineFeed })
            checkpoint = head
            progress.show(count, "entries")
            query = answer.next
        }
        try file.finish()
        progress.clear()
        StandardStream.output.writeLine("\(path): \(count) entries of a log of \(checkpoint?.size ?? 0)")
        StandardStream.error.writeLine("verify it with `batuta audit verify \(path) --key KEY`")
    }

    /// What the first line of a page says that the log was.
    private static func checkpoint(_ line: ArraySlice<UInt8>) throws -> Checkpoint {
        guard let note = try? JSONDocument(parsing: Array(line)).root["checkpoint"]?.stringValue,
            let signed = try? SignedNote(parsing: note), let checkpoint = try? Checkpoint(parsing: signed.text)
        else {
            throw unexpected
        }
        return checkpoint
    }

    private static let lineFeed = UInt8(ascii: "\n")
    private static let unexpected = CommandLineError(.answer, "the gateway's answer is not what it should be")
}
