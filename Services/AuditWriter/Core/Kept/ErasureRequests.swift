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

    /// `audit.kept.erase`: takes a value away for good; one that is not there, or was erased before, is not found.
    package func erase(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        guard let hash = body.root["sha256"]?.stringValue.flatMap(Self.hash) else {
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
        let name = hash.hex
        let bytes: Int64? = try await lanes.change(deadline: context.deadline) { transaction in
            let rows = try await transaction.execute(KeptBodyRepository.erasure(of: hash, tenant: context.tenant))
            guard let bytes = try rows.first?.decode(0, as: Int64.self) else {
                return .none(nil)
            }
            let entry = AuditDraft(
                "erase",
                of: AuditObject(type: "kept_value", id: name),
                before: try .json(["bytes": .number(bytes), "sha256": .string(name)]),
                reason: reason,
                by: context
            )
            return .made(bytes, entry)
        }
        guard let bytes else {
            throw Problem(.notFound)
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("sha256", name)
        writer.member("bytes", bytes)
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    /// 64 hex digits as bytes.
    private static func hash(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else {
            return nil
        }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard digits[index] != UInt8(ascii: "+"), digits[index] != UInt8(ascii: "-"),
                let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
            else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
