import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import JSON
import Messaging
import Persistence
import ServiceRuntime

/// Makes, lists and revokes tokens; every change is audited in its own transaction, which moves the generation on.
struct TokenOperations: Sendable {
    let lanes: LaneGroup
    let database: PostgresClient
    let limit: Int
    let patience: Duration

    /// `POST /admin/api/tokens`: the one answer that shows the token.
    func create(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let asked = try TokenRequest(try JSONBody.object(of: request, limit: limit).root)
        let repeatable = try request.idempotent()
        var generator = SystemRandomNumberGenerator()
        let token = APIToken(using: &generator)
        let now = Timestamp.now()
        let principal = request.caller.principal
        let record = TokenRecord(
            tokenID: UUIDv7.make(),
            name: asked.name,
            role: asked.role,
            createdAt: now,
            createdBy: principal.name,
            expiresAt: asked.lifetime.map { Timestamp(microseconds: now.microseconds + $0 * 1_000) }
        )
        var draft = Self.draft("token.create", record, request)
        draft.after = try record.audited()
        let entry = draft
        let reply = try await lanes.change(deadline: .now + patience) { transaction in
            try await transaction.once(repeatable) {
                try await transaction.database.execute(IdentityRepository.nextGeneration)
                transaction.enqueue([TokenRepository.insertion(record, hash: token.hash, of: principal.tenant)])
                let reply = FirstReply(
                    shown: Self.reply(.created, record, text: token.text),
                    kept: Self.reply(.created, record)
                )
                return .made(reply, entry)
            }
        }
        return GatewayAnswer(reply)
    }

    /// `GET /admin/api/tokens`.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let page = try PageRequest(try request.query())
        let before = page.cursor.map { UUID(uuidString: $0) }
        if case .some(nil) = before {
            throw GatewayProblem(.invalidCursor)
        }
        let rows = try await database.execute(
            TokenRepository.page(of: request.caller.principal.tenant, before: before ?? nil, count: page.limit + 1),
            deadline: .now + patience
        )
        let tokens = try rows.prefix(page.limit).map { try TokenRecord(row: $0) }
        let next = rows.count > page.limit ? tokens.last?.tokenID.lowercased : nil
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for token in tokens {
            token.write(to: &writer)
        }
        writer.endArray()
        writer.member("next", next)
        writer.endObject()
        return page.answer(writer.bytes, path: request.route.pattern, next: next)
    }

    /// `DELETE /admin/api/tokens/{token_id}`; a token that is revoked already stays as it is.
    func revoke(_ request: GatewayRequest) async throws -> GatewayAnswer {
        guard let tokenID = request.parameters.first.flatMap({ UUID(uuidString: $0) }) else {
            throw GatewayProblem.notFound
        }
        let tenant = request.caller.principal.tenant
        let record = try await lanes.change(deadline: .now + patience) { transaction in
            let rows = try await transaction.database.pipeline([
                IdentityRepository.nextGeneration, TokenRepository.locked(tokenID, of: tenant),
            ])
            guard let row = rows.last?.first else {
                throw GatewayProblem.notFound
            }
            var record = try TokenRecord(row: row)
            guard record.revokedAt == nil else {
                return .none(record)
            }
            var draft = Self.draft("token.revoke", record, request)
            draft.before = try record.audited()
            let now = Timestamp.now()
            record.revokedAt = now
            draft.after = try record.audited()
            transaction.enqueue([TokenRepository.revocation(tokenID, at: now)])
            return .made(record, draft)
        }
        return GatewayAnswer(Self.reply(.ok, record))
    }

    private static func draft(_ action: String, _ record: TokenRecord, _ request: GatewayRequest) -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: request.caller.principal.tenant.key,
            actor: request.caller.principal.actor,
            action: action,
            object: AuditObject(type: "token", id: record.tokenID.lowercased),
            requestID: request.requestID,
            traceID: request.trace.traceID
        )
    }

    private static func reply(_ status: HTTPResponse.Status, _ record: TokenRecord, text: String? = nil) -> Reply {
        var writer = JSONWriter()
        record.write(to: &writer, text: text)
        return Reply(status: status.code, body: writer.bytes)
    }
}
