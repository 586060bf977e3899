import AuditExport
import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import JSON
import MerkleLog
import Messaging

/// The audit log: what it says of the caller's tenant, and what proves it.
struct AuditOperations: Sendable {
    let engine: EngineClient
    let limit: Int

    /// `GET /api/audit/entries`, newest first.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let (page, body) = try Self.search(request)
        return try await self.page(page, RequestType.auditEntriesList, body, request.route.pattern, request)
    }

    /// `GET /api/audit/proofs`: entries with their proofs, newest first, each page a file that can be verified by itself.
    func proofs(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let (page, body) = try Self.search(request)
        let found = try engine.document(
            of: try await engine.ask(RequestType.auditProofsInclusion, body, of: .audit, for: request)
        ).root
        guard let checkpoint = found["checkpoint"]?.stringValue, let items = found["items"], items.kind == .array else {
            throw GatewayProblem(.internalError)
        }
        var lines = ProofsLine.head(checkpoint: checkpoint)
        for item in items.elements {
            guard let index = item["leaf_index"]?.int64Value.flatMap({ UInt64(exactly: $0) }),
                let entry = item["entry"],
                let list = item["proof"], list.kind == .array
            else {
                throw GatewayProblem(.internalError)
            }
            let proof = list.elements.compactMap { $0.stringValue.flatMap { MerkleHash(base64: $0) } }
            lines += ProofsLine.entry(Array(entry.rawBytes), index: index, proof: proof)
        }
        var answer = page.answer(lines, path: request.route.pattern, next: found["next"]?.stringValue)
        answer.headers.append((.contentType, "application/jsonl"))
        return answer
    }

    /// What a search asks for: its page, and the body of the request to the audit-writer.
    private static func search(_ request: GatewayRequest) throws -> (PageRequest, [UInt8]) {
        let page = try PageRequest(try request.query())
        let range = try TimeRange(page.query)
        var writer = JSONWriter()
        writer.beginObject()
        page.write(to: &writer)
        for name in ["object_type", "object_id", "actor", "action", "trace_id", "tenant"] {
            try Self.write(name, of: page.query, to: &writer)
        }
        if let from = range.from { writer.member("from", from.lowercased) }
        if let until = range.until { writer.member("until", until.lowercased) }
        writer.endObject()
        return (page, writer.bytes)
    }

    /// Writes a parameter as a member of a request, where it is there.
    private static func write(_ name: String, of query: Query, to writer: inout JSONWriter) throws {
        guard let value = query[name] else {
            return
        }
        guard !value.isEmpty, value.utf8.count <= 1_024, !value.utf8.contains(0) else {
            throw GatewayProblem.invalidParameter(name)
        }
        writer.member(name, value)
    }

    /// `GET /api/audit/objects/{type}/{id}`: the history of one object, newest first.
    func history(_ request: GatewayRequest) async throws -> GatewayAnswer {
        guard request.parameters.count == 2, request.parameters.allSatisfy({ !$0.utf8.contains(0) }) else {
            throw GatewayProblem.notFound
        }
        let page = try PageRequest(try request.query())
        var writer = JSONWriter()
        writer.beginObject()
        page.write(to: &writer)
        writer.member("object_type", request.parameters[0])
        writer.member("object_id", request.parameters[1])
        try Self.write("tenant", of: page.query, to: &writer)
        writer.endObject()
        let path = "/api/audit/objects/" + request.parameters.map { PercentEncoding.encode($0) }.joined(separator: "/")
        return try await self.page(page, RequestType.auditObjectsHistory, writer.bytes, path, request)
    }

    /// `GET /api/audit/entries/{index}`: one entry with its proof.
    func prove(_ request: GatewayRequest) async throws -> GatewayAnswer {
        guard let index = Self.number(request.parameters.first) else {
            throw GatewayProblem.notFound
        }
        return try await answer(RequestType.auditEntriesProve, ["leaf_index": index], request)
    }

    /// `GET /api/audit/checkpoint`: the newest checkpoint as text.
    func checkpoint(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let found = try await ask(RequestType.auditCheckpointsNewest, [:], request)
        guard let note = found.root["note"]?.stringValue else {
            throw GatewayProblem(.internalError)
        }
        return GatewayAnswer(.ok, Array(note.utf8), headers: [(.contentType, "text/plain; charset=utf-8")])
    }

    /// `GET /api/audit/consistency`: that the log of `from` entries is the beginning of that of `to`.
    func consistency(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let query = try request.query()
        guard let from = Self.number(query["from"]) else {
            throw GatewayProblem.invalidParameter("from")
        }
        var members = ["from": from]
        if let text = query["to"] {
            guard let to = Self.number(text) else {
                throw GatewayProblem.invalidParameter("to")
            }
            members["to"] = to
        }
        return try await answer(RequestType.auditProofsConsistency, members, request)
    }

    /// `GET /api/audit/tiles/{level}/{index}`: the hashes of a tile, 32 bytes each.
    func tile(_ request: GatewayRequest) async throws -> GatewayAnswer {
        guard let level = Self.number(request.parameters.first), let index = Self.number(request.parameters.last) else {
            throw GatewayProblem.notFound
        }
        var members = ["level": level, "index": index]
        if let text = try request.query()["width"] {
            guard let width = Self.number(text) else {
                throw GatewayProblem.invalidParameter("width")
            }
            members["width"] = width
        }
        let found = try await ask(RequestType.auditTilesGet, members, request)
        guard let hashes = found.root["hashes"]?.stringValue.flatMap({ Data(base64Encoded: $0) }) else {
            throw GatewayProblem(.internalError)
        }
        return GatewayAnswer(.ok, Array(hashes), headers: [(.contentType, "application/octet-stream")])
    }

    /// `POST /api/audit/exports`: fixes what is exported.
    func startExport(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let body = try await engine.ask(RequestType.auditExportsBegin, Array("{}".utf8), of: .audit, for: request)
        return GatewayAnswer(.created, body)
    }

    /// `GET /api/audit/exports/{id}`: what was begun.
    func export(_ request: GatewayRequest) async throws -> GatewayAnswer {
        guard let id = request.parameters.first.flatMap({ UUID(uuidString: $0) }) else {
            throw GatewayProblem.notFound
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("export_id", id.lowercased)
        writer.endObject()
        return GatewayAnswer(
            .ok,
            try await engine.ask(RequestType.auditExportsGet, writer.bytes, of: .audit, for: request)
        )
    }

    /// `GET /api/audit/exports/{id}/entries`: the entries of an export from the index `from` on.
    func exportedEntries(_ request: GatewayRequest) async throws -> GatewayAnswer {
        guard let id = request.parameters.first.flatMap({ UUID(uuidString: $0) }) else {
            throw GatewayProblem.notFound
        }
        guard let from = Self.number(try request.query()["from"] ?? "0") else {
            throw GatewayProblem.invalidParameter("from")
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("export_id", id.lowercased)
        writer.member("from", from)
        writer.endObject()
        return GatewayAnswer(
            .ok,
            try await engine.ask(RequestType.auditExportsEntries, writer.bytes, of: .audit, for: request)
        )
    }

    /// `POST /api/audit/checkpoint/cosignatures`: adds what a witness has signed.
    func cosign(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let root = try JSONBody.object(of: request, limit: limit).root
        let answer = try await engine.ask(
            RequestType.auditCheckpointsCosign,
            Array(root.rawBytes),
            of: .audit,
            for: request
        )
        return GatewayAnswer(.created, answer)
    }

    /// `GET /api/audit/kept/{sha256}`: a value that is kept beside the log, put together of the pieces that replies hold.
    func keptValue(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let hash = request.parameters.first ?? ""
        let query = try request.query()
        var value: [UInt8] = []
        while true {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("sha256", hash)
            writer.member("from", Int64(value.count))
            try Self.write("tenant", of: query, to: &writer)
            writer.endObject()
            let found = try engine.document(
                of: try await engine.ask(RequestType.auditKeptGet, writer.bytes, of: .audit, for: request)
            ).root
            guard let bytes = found["bytes"]?.int64Value, let salt = found["salt"]?.stringValue,
                let piece = found["piece"]?.stringValue.flatMap({ Data(base64Encoded: $0) })
            else {
                throw GatewayProblem(.internalError)
            }
            value += piece
            guard value.count < bytes else {
                return GatewayAnswer(.ok, Self.body(of: hash, salt, value))
            }
            guard !piece.isEmpty else {
                throw GatewayProblem(.internalError)
            }
        }
    }

    private static func body(of hash: String, _ salt: String, _ value: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(capacity: value.count + 256)
        writer.beginObject()
        writer.member("sha256", hash)
        writer.member("salt", salt)
        writer.member("value", raw: value)
        writer.endObject()
        return writer.bytes
    }

    /// `POST /admin/api/audit/kept/{sha256}/erase`: erases a value that is kept beside the log.
    func erase(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let root = try JSONBody.object(of: request, limit: limit).root
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("sha256", request.parameters.first ?? "")
        writer.member("reason", root["reason"]?.stringValue ?? "")
        writer.endObject()
        let answer = try await engine.ask(RequestType.auditKeptErase, writer.bytes, of: .audit, for: request)
        // Where nothing of it was there, nothing was erased yet.
        let wasThere = try engine.document(of: answer).root["erased"]?.boolValue == true
        return GatewayAnswer(wasThere ? .ok : .accepted, answer)
    }

    private func answer(
        _ type: String,
        _ members: [String: Int64],
        _ request: GatewayRequest
    ) async throws -> GatewayAnswer {
        GatewayAnswer(.ok, try await engine.ask(type, Self.body(members), of: .audit, for: request))
    }

    private func ask(_ type: String, _ members: [String: Int64], _ request: GatewayRequest) async throws -> JSONDocument
    {
        try engine.document(of: try await engine.ask(type, Self.body(members), of: .audit, for: request))
    }

    private func page(
        _ page: PageRequest,
        _ type: String,
        _ body: [UInt8],
        _ path: String,
        _ request: GatewayRequest
    ) async throws -> GatewayAnswer {
        let answer = try await engine.ask(type, body, of: .audit, for: request)
        return page.answer(answer, path: path, next: try engine.document(of: answer).root["next"]?.stringValue)
    }

    private static func body(_ members: [String: Int64]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, value) in members {
            writer.member(name, value)
        }
        writer.endObject()
        return writer.bytes
    }

    /// A whole number from 0 on, in decimal digits.
    private static func number(_ text: String?) -> Int64? {
        guard let text, !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else {
            return nil
        }
        return Int64(text)
    }
}
