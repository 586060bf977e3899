import Checkpoints
import Contracts
import Foundation
import JSON
import MerkleLog
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

/// A signed log of two tenants, whose entries come in turn.
struct SignedLog {
    let signer: NoteSigner
    let appender: LogAppender
    let database: PostgresClient
    let accesses: LogAccesses
    let authority: CheckpointAuthority
    let proofs: ProofRequests
    let proved: ProvedEntryRequests
    let exports: ExportRequests
    private(set) var entries: [[UInt8]] = []

    static func with(_ count: Int, _ body: (inout SignedLog) async throws -> Void) async throws {
        try await ServiceDatabase.with(.audit) { database in
            let signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
            let authority = CheckpointAuthority(
                signers: [signer],
                journal: try CheckpointJournal(
                    directory: Command.temporaryURL("checkpoints").path,
                    origin: signer.name
                )
            )
            let accesses = LogAccesses(
                lanes: LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1)
            )
            var log = SignedLog(
                signer: signer,
                appender: LogAppender(database: database.client, authority: authority, logger: ServiceDatabase.logger),
                database: database.client,
                accesses: accesses,
                authority: authority,
                proofs: ProofRequests(database: database.client, accesses: accesses),
                proved: ProvedEntryRequests(database: database.client, accesses: accesses),
                exports: ExportRequests(database: database.client, accesses: accesses, authority: authority)
            )
            try await log.append(count)
            _ = try await log.appender.sign()
            try await body(&log)
        }
    }

    /// Another replica, which looks through so many entries with each request.
    func exports(window: Int64) -> ExportRequests {
        ExportRequests(
            database: database,
            accesses: accesses,
            authority: authority,
            window: window,
            patience: .zero
        )
    }

    /// One entry in three is another tenant's.
    func tenant(of index: Int) -> String { index % 3 == 1 ? "other" : "acme" }

    mutating func append(_ count: Int) async throws {
        var messages: [EntryMessage] = []
        for index in entries.count..<entries.count + count {
            let line = Entries.canonical(seq: Int64(index) + 1, tenant: tenant(of: index))
            entries.append(line)
            messages.append(
                try EntryMessage(Entries.delivery([line], seq: Int64(index) + 1, tenant: tenant(of: index)))
            )
        }
        _ = try await appender.append(messages)
    }

    func ask(
        _ handler: (RequestContext, JSONDocument) async throws -> Reply,
        _ body: String,
        as tenant: String = "acme"
    ) async throws -> (status: Int, root: JSONView) {
        let reply: Reply
        do {
            reply = try await handler(Self.context(tenant), JSONDocument(parsing: body))
        } catch let problem as Problem {
            reply = Reply(problem)
        }
        return (reply.status, try JSONDocument(parsing: reply.body, limits: .wrapped).root)
    }

    func exported(_ id: String, as tenant: String) async throws -> [(index: Int, entry: [UInt8])] {
        var found: [(Int, [UInt8])] = []
        var from: Int64? = 0
        while let next = from {
            let (status, root) = try await ask(
                exports.entries,
                #"{"export_id":"\#(id)","from":\#(next)}"#,
                as: tenant
            )
            try #require(status == 200)
            for item in try #require(root["items"]).elements {
                let index = Int(try #require(item["leaf_index"]?.int64Value))
                found.append((index, Array(try #require(item["entry"]).rawBytes)))
            }
            from = root["next"]?.int64Value
        }
        return found
    }

    static func context(_ tenant: String) -> RequestContext {
        RequestContext(tenant: tenant, actor: AuditActor(type: .user, id: "test"), requestID: "r")
    }
}
