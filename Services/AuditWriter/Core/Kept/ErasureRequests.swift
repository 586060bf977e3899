import Contracts
import Domain
import FoundationEssentials
package import JSON
package import Messaging
package import Persistence
import ServiceBase

/// Erases values that are kept beside the log; the log stays as it is.
package struct ErasureRequests: Sendable {
    /// How long a reason may be, in bytes.
    private static let longestReason = 1_000

    private let lanes: LaneGroup
    private let repository: KeptBodyRepository

    package init(database: PostgresClient, lanes: LaneGroup) {
        self.lanes = lanes
        repository = KeptBodyRepository(database: database)
    }

    /// `audit.kept.erase`: takes a value away for good, wherever the audit-writer has it.
    ///
    /// One that is not there is remembered, and not kept when it comes. One that was erased or remembered before is not found.
    package func erase(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        guard let hash = body.root["sha256"]?.stringValue.flatMap([UInt8].init(hex:)), hash.count == 32 else {
            throw Problem(.notFound)
        }
        guard let reason = body.root["reason"]?.stringValue, (1...Self.longestReason).contains(reason.utf8.count),
            !reason.utf8.contains(0)
        else {
            throw Problem(
                .invalidRequest,
                "A value is erased for a reason of 1 to \(Self.longestReason) bytes.",
                detailES: "Un valor se borra con un motivo de 1 a \(Self.longestReason) bytes.",
                errors: [
                    Problem.Detail(pointer: "/reason", code: "invalid_reason", detail: "It is missing or too long.")
                ]
            )
        }
        let erased = try await lanes.change(deadline: context.deadline) { transaction in
            try await Self.erase(hash, reason, context, in: transaction)
        }
        guard let erased else {
            throw Problem(.notFound)
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("sha256", hash.hex)
        writer.member("bytes", erased.bytes)
        writer.member("erased", erased.wasThere)
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    /// What an erasure has come to.
    private struct Erased: Sendable {
        /// How long the value was; nil where it was not kept.
        var bytes: Int64?
        /// Whether there was anything of it.
        var wasThere: Bool
    }

    /// Erases a value within a transaction; nil where there is nothing left to be done.
    private static func erase(
        _ hash: [UInt8],
        _ reason: String,
        _ context: RequestContext,
        in transaction: ChangeTransaction
    ) async throws -> Change<Erased?> {
        let tenant = context.tenant
        _ = try await transaction.database.execute(KeptBodyRepository.lock(hash, tenant: tenant))
        let remembered = try await transaction.execute(KeptBodyRepository.remembrance(of: hash, tenant: tenant))
        let rows = try await transaction.database.execute(KeptBodyRepository.length(of: hash, tenant: tenant))
        let bytes = try rows.first?.decode(0, as: Int64.self)
        if bytes != nil {
            try await transaction.execute(KeptBodyRepository.erasure(of: hash, tenant: tenant))
        }
        let letters = try await transaction.execute(KeptBodyRepository.emptying(lettersWith: hash, tenant: tenant))
        let wasThere = bytes != nil || letters.affectedRows > 0
        guard wasThere || remembered.affectedRows > 0 else {
            return .none(nil)
        }
        var before = [JSONMember("sha256", .string(hash.hex))]
        if let bytes { before.append(JSONMember("bytes", .number(bytes))) }
        let entry = AuditDraft(
            "erase",
            of: AuditObject(type: "kept_value", id: hash.hex),
            before: wasThere ? try .json(.object(before)) : .none,
            reason: reason,
            by: context
        )
        return .made(Erased(bytes: bytes, wasThere: wasThere), entry)
    }
}
