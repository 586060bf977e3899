import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import JSON
import Messaging
import Persistence
import Secrets
import ServiceRuntime

/// Makes, lists, rotates and deletes hook sources; every change is audited in its own transaction.
struct HookOperations: Sendable {
    let lanes: LaneGroup
    let repository: HookRepository
    let secrets: HookSecrets
    let limit: Int
    let patience: Duration

    /// `POST /admin/api/hooks`: the one answer that shows a secret that was made here.
    func create(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let asked = try HookRequest(try JSONBody.object(of: request, limit: limit).root)
        let repeatable = try request.idempotent()
        let principal = request.caller.principal
        let hook = Hook(
            hookID: UUIDv7.make(),
            tenant: principal.tenant,
            request: asked,
            createdAt: .now(),
            createdBy: principal.name
        )
        let secret = asked.secret.map { Secret($0) } ?? HookSecrets.make()
        let sealed = SealedHook(hook: hook, secret: try secrets.seal(secret, for: hook))
        var draft = Self.draft("hook.create", hook, request)
        draft.after = try hook.audited()
        let entry = draft
        let reply = try await lanes.change(deadline: .now + patience) { transaction in
            try await transaction.once(repeatable) {
                let found = try await transaction.database.pipeline([
                    HookRepository.lock(hook.tenant), HookRepository.named(hook.name, of: hook.tenant),
                ])
                guard found.last?.isEmpty == true else {
                    throw GatewayProblem(
                        .keyTaken,
                        Sentence("A hook of that name is there already.", "Ya existe un webhook con ese nombre.")
                    )
                }
                transaction.enqueue([HookRepository.insertion(sealed)])
                return .made(Self.reply(.created, hook, made: asked.secret == nil ? secret : nil), entry)
            }
        }
        return GatewayAnswer(reply)
    }

    /// `GET /admin/api/hooks`.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let page = try PageRequest(try request.query())
        let before = try page.cursorID()
        var hooks = try await repository.page(
            of: request.caller.principal.tenant,
            before: before,
            count: page.limit + 1,
            deadline: .now + patience
        )
        let hasMore = hooks.count > page.limit
        hooks = Array(hooks.prefix(page.limit))
        let next = hasMore ? hooks.last?.hookID.lowercased : nil
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for hook in hooks {
            hook.write(to: &writer)
        }
        writer.endArray()
        writer.member("next", next)
        writer.endObject()
        return page.answer(writer.bytes, path: request.route.pattern, next: next)
    }

    /// `GET /admin/api/hooks/{name}`.
    func get(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let sealed = try await repository.hook(
            request.parameters.first ?? "",
            of: request.caller.principal.tenant,
            deadline: .now + patience
        )
        guard let sealed else {
            throw GatewayProblem.notFound
        }
        return GatewayAnswer(Self.reply(.ok, sealed.hook).shown)
    }

    /// `DELETE /admin/api/hooks/{name}`: from the answer on its webhooks are refused.
    func delete(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let tenant = request.caller.principal.tenant
        try await lanes.change(deadline: .now + patience) { transaction in
            let sealed = try await Self.locked(request, of: tenant, in: transaction)
            var draft = Self.draft("hook.delete", sealed.hook, request)
            draft.before = try sealed.hook.audited()
            transaction.enqueue([HookRepository.deletion(sealed.hook.hookID)])
            return .made((), draft)
        }
        return GatewayAnswer(.noContent, [])
    }

    /// `POST /admin/api/hooks/{name}/rotate`: a new secret, beside which the old one holds for a while.
    func rotate(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let tenant = request.caller.principal.tenant
        let body = request.body.isEmpty ? nil : try JSONBody.object(of: request, limit: limit)
        let repeatable = try request.idempotent(target: request.parameters.first ?? "")
        let reply = try await lanes.change(deadline: .now + patience) { transaction in
            try await transaction.once(repeatable) {
                let sealed = try await Self.locked(request, of: tenant, in: transaction)
                let asked = try HookRotation(
                    try body?.root ?? JSONDocument(parsing: "{}").root,
                    of: sealed.hook.credential
                )
                let secret = asked.secret.map { Secret($0) } ?? HookSecrets.make()
                let rotated = try rotated(sealed, with: secret, grace: asked.grace)
                var draft = Self.draft("hook.rotate", rotated.hook, request)
                draft.before = try sealed.hook.audited()
                draft.after = try rotated.hook.audited()
                transaction.enqueue([HookRepository.rotation(rotated)])
                return .made(Self.reply(.ok, rotated.hook, made: asked.secret == nil ? secret : nil), draft)
            }
        }
        return GatewayAnswer(reply)
    }

    private func rotated(_ sealed: SealedHook, with secret: Secret, grace: Int64) throws -> SealedHook {
        let now = Timestamp.now()
        var hook = sealed.hook
        hook.secretVersion += 1
        hook.rotatedAt = now
        hook.previousUntil = grace > 0 ? Timestamp(microseconds: now.microseconds + grace * 1_000) : nil
        return SealedHook(
            hook: hook,
            secret: try secrets.seal(secret, for: hook),
            previousSecret: grace > 0 ? sealed.secret : nil
        )
    }

    private static func locked(
        _ request: GatewayRequest,
        of tenant: Tenant,
        in transaction: ChangeTransaction
    ) async throws -> SealedHook {
        let rows = try await transaction.database.pipeline([
            HookRepository.lock(tenant),
            HookRepository.named(request.parameters.first ?? "", of: tenant, isToChange: true),
        ])
        guard let row = rows.last?.first else {
            throw GatewayProblem.notFound
        }
        return try SealedHook(row: row)
    }

    private static func draft(_ action: String, _ hook: Hook, _ request: GatewayRequest) -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: hook.tenant.key,
            actor: request.caller.principal.actor,
            action: action,
            object: AuditObject(type: "hook", id: hook.name),
            requestID: request.requestID,
            traceID: request.trace.traceID
        )
    }

    /// The answer of a change; a secret that was made here is shown once.
    private static func reply(
        _ status: HTTPResponse.Status,
        _ hook: Hook,
        made secret: Secret? = nil
    ) -> FirstReply {
        var writer = JSONWriter()
        hook.write(to: &writer)
        let kept = Reply(status: status.code, body: writer.bytes)
        let shown = secret?.withText { text in
            var writer = JSONWriter()
            hook.write(to: &writer, secret: text)
            return Reply(status: status.code, body: writer.bytes)
        }
        return FirstReply(shown: shown ?? kept, kept: kept)
    }
}
