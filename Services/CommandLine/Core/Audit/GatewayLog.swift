import Foundation
import JSON
import MerkleLog
import NIOHTTP1

/// The part of the log that the gateway shows to a token's tenant.
struct GatewayLog: ExportedLog {
    let client: GatewayClient

    func begin() async throws -> BegunExport {
        // Begun twice it is two exports, of which one is never fetched.
        var answer = try Self.value(of: try await client.patiently("/api/audit/exports", method: .POST))
        var progress = ProgressLine()
        defer { progress.clear() }
        // What the log says of the tenant's part takes a while where the log is large.
        while let done = answer["looked_through"]?.int64Value, answer["scope"] == nil,
            let id = answer["export_id"]?.stringValue
        {
            progress.show(
                UInt64(clamping: done),
                of: UInt64(clamping: answer["size"]?.int64Value ?? 0),
                "entries looked through"
            )
            answer = try Self.value(of: try await client.patiently("/api/audit/exports/\(id)"))
        }
        guard let id = answer["export_id"]?.stringValue, let checkpoint = answer["checkpoint"]?.stringValue,
            let size = answer["size"]?.int64Value.flatMap({ UInt64(exactly: $0) })
        else {
            throw Self.unexpected
        }
        return BegunExport(id: id, size: size, checkpoint: checkpoint, scope: answer["scope"]?.stringValue)
    }

    func next(from index: UInt64, of export: BegunExport) async throws -> [ExportedEntry] {
        let page = try await page(from: index, of: export)
        var entries: [ExportedEntry] = []
        var tile: (index: UInt64, hashes: [MerkleHash])?
        for index in index..<page.end {
            if let entry = page.entries[index] {
                entries.append(ExportedEntry(entry: entry, leaf: .leaf(entry)))
                continue
            }
            if tile?.index != index / 256 {
                tile = (index / 256, try await hashes(index / 256, of: export))
            }
            guard let hashes = tile?.hashes, hashes.indices.contains(Int(index % 256)) else {
                throw Self.unexpected
            }
            entries.append(ExportedEntry(entry: nil, leaf: hashes[Int(index % 256)]))
        }
        return entries
    }

    private func page(
        from index: UInt64,
        of export: BegunExport
    ) async throws -> (entries: [UInt64: [UInt8]], end: UInt64) {
        let answer = try await client.patiently(
            "/api/audit/exports/\(export.id)/entries",
            query: [URLQueryItem(name: "from", value: String(index))]
        )
        guard let document = try? JSONDocument(parsing: answer.body, limits: .wrapped) else {
            throw Self.unexpected
        }
        var entries: [UInt64: [UInt8]] = [:]
        guard let items = document.root["items"], items.kind == .array else {
            throw Self.unexpected
        }
        for item in items.elements {
            guard let index = item["leaf_index"]?.int64Value.flatMap({ UInt64(exactly: $0) }), let entry = item["entry"]
            else {
                throw Self.unexpected
            }
            // The very bytes; they are the ones that were hashed.
            entries[index] = Array(entry.rawBytes)
        }
        let end = document.root["next"]?.int64Value.flatMap { UInt64(exactly: $0) } ?? export.size
        guard end > index, end <= export.size else {
            throw Self.unexpected
        }
        return (entries, end)
    }

    /// The hashes of the leaves of one tile, as many as the export's checkpoint covers.
    private func hashes(_ index: UInt64, of export: BegunExport) async throws -> [MerkleHash] {
        let width = min(256, export.size - index * 256)
        let answer = try await client.patiently(
            "/api/audit/tiles/0/\(index)",
            query: [URLQueryItem(name: "width", value: String(width))]
        )
        guard let hashes = [MerkleHash](concatenated: answer.body), hashes.count == Int(width) else {
            throw Self.unexpected
        }
        return hashes
    }

    private static func value(of answer: GatewayClient.Answer) throws -> JSONValue {
        guard let value = try? JSONValue(parsing: answer.body, limits: .wrapped) else {
            throw unexpected
        }
        return value
    }

    private static let unexpected = CommandLineError(.answer, "the gateway's answer is not what it should be")
}
