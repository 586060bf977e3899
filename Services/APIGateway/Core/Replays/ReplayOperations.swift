import Contracts
import Domain
import FoundationEssentials
import HTTPTypes
import JSON
import Messaging
import Persistence
import ServiceRuntime

/// Starts, shows and cancels replays.
struct ReplayOperations: Sendable {
    /// What one replay, and one tenant, may have.
    struct Limits: Sendable {
        /// Bytes of a body.
        var body: Int
        /// Signals of the automation's type in a span; a dry run may have more.
        var signals: Int
        /// Replays of a tenant that run at once.
        var running = 5
    }

    let lanes: LaneGroup
    let repository: ReplayRepository
    let engine: EngineClient
    let worker: ReplayWorker
    let limits: Limits
    let patience: Duration

    /// `POST /admin/api/automations/{id}/replays`.
    ///
    /// A repeat of its idempotency key gets the first answer, whatever the automation and the clock say by then.
    func start(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let deadline = ContinuousClock.now + patience
        let repeatable = try request.idempotent(target: try AutomationOperations.automation(request))
        if let earlier = try await lanes.earlierReply(to: repeatable, deadline: deadline) {
            return try answer(earlier)
        }
        let replay = try await replay(request, deadline: deadline)
        let reply = try await begin(replay, request, as: repeatable, deadline: deadline)
        worker.wake()
        return try answer(reply)
    }

    /// The replay that a request asks for, of the automation as it is now.
    private func replay(_ request: GatewayRequest, deadline: ContinuousClock.Instant) async throws -> Replay {
        let now = UInt64(clamping: Timestamp.now().microseconds / 1_000)
        let asked = try ReplayRequest(try JSONBody.object(of: request, limit: limits.body).root, at: now)
        let principal = request.caller.principal
        let replay = Replay(
            tenant: principal.tenant,
            target: try await target(of: request),
            span: asked.span,
            isDryRun: asked.isDryRun,
            actor: principal.actor,
            traceparent: request.trace.traceparent
        )
        guard let criterion = try? replay.criterion() else {
            throw GatewayProblem(.unsupportedFeature)
        }
        guard !replay.isDryRun else {
            return replay
        }
        let signals = try await repository.count(
            for: replay,
            trigger: criterion.trigger,
            limit: limits.signals + 1,
            deadline: deadline
        )
        guard signals <= limits.signals else {
            throw ReplayRequest.tooManySignals(limit: limits.signals)
        }
        return replay
    }

    private func begin(
        _ replay: Replay,
        _ request: GatewayRequest,
        as repeatable: IdempotentRequest?,
        deadline: ContinuousClock.Instant
    ) async throws -> Reply {
        let principal = request.caller.principal
        let entry = try replay.startEntry(
            by: principal.actor,
            requestID: request.requestID,
            traceID: request.trace.traceID
        )
        return try await lanes.change(deadline: deadline) { transaction in
            try await transaction.once(repeatable) {
                let rows = try await transaction.database.pipeline(ReplayRepository.running(of: replay.tenant))
                guard try rows.last?.first?.decode(0, as: Int.self) ?? 0 < limits.running else {
                    throw Self.tooManyRunning(limit: limits.running)
                }
                transaction.enqueue([ReplayRepository.insertion(replay)])
                return .made(FirstReply(Self.reply(.accepted, replay)), entry)
            }
        }
    }

    private func answer(_ reply: Reply) throws -> GatewayAnswer {
        var answer = GatewayAnswer(reply)
        if let id = try engine.document(of: reply.body).root["replay_id"]?.stringValue {
            answer.headers.append((.location, "\(Route.listReplays.pattern)/\(id)"))
        }
        return answer
    }

    /// `GET /admin/api/replays`, newest first.
    func list(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let page = try PageRequest(try request.query())
        let replays = try await repository.page(
            of: request.caller.principal.tenant,
            before: try page.cursorID(),
            count: page.limit + 1,
            deadline: .now + patience
        )
        let next = replays.count > page.limit ? replays[page.limit - 1].id.lowercased : nil
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for replay in replays.prefix(page.limit) {
            replay.write(to: &writer)
        }
        writer.endArray()
        writer.member("next", next)
        writer.endObject()
        return page.answer(writer.bytes, path: request.route.pattern, next: next)
    }

    /// `GET /admin/api/replays/{id}`.
    func get(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let replay = try await repository.replay(
            try Self.id(request),
            of: request.caller.principal.tenant,
            deadline: .now + patience
        )
        guard let replay else {
            throw GatewayProblem.notFound
        }
        return GatewayAnswer(Self.reply(.ok, replay))
    }

    /// `POST /admin/api/replays/{id}/cancel`; one that was canceled before stays as it is.
    func cancel(_ request: GatewayRequest) async throws -> GatewayAnswer {
        let id = try Self.id(request)
        let principal = request.caller.principal
        let canceled = try await lanes.change(deadline: .now + patience) { transaction in
            let statement = ReplayRepository.end(id, of: principal.tenant, as: .canceled)
            guard let row = try await transaction.execute(statement).first else {
                return Change<Replay?>.none(nil)
            }
            let canceled = try Replay(row)
            let entry = try canceled.endEntry(
                "replay.cancel",
                by: principal.actor,
                requestID: request.requestID,
                traceID: request.trace.traceID
            )
            return .made(canceled, entry)
        }
        if let canceled {
            return GatewayAnswer(Self.reply(.ok, canceled))
        }
        let ended = try await repository.replay(id, of: principal.tenant, deadline: .now + patience)
        guard let ended else {
            throw GatewayProblem.notFound
        }
        guard ended.status == .canceled else {
            throw GatewayProblem(
                .wrongState,
                Sentence("The replay has ended already.", "La repetición ya ha terminado.")
            )
        }
        return GatewayAnswer(Self.reply(.ok, ended))
    }

    /// The automation as it is now, which must be active.
    private func target(of request: GatewayRequest) async throws -> Replay.Target {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("automation", try AutomationOperations.automation(request))
        writer.endObject()
        let answer = try await engine.ask(RequestType.engineAutomationsGet, writer.bytes, for: request)
        let automation = try engine.document(of: answer).root["automation"]
        guard let automation, let id = automation["id"]?.stringValue.flatMap({ UUID(uuidString: $0) }),
            let key = automation["automation_key"]?.stringValue, let version = automation["version"]?.int64Value,
            let trigger = automation["definition"]?["trigger"], let type = trigger["signalType"]?.stringValue
        else {
            throw GatewayProblem(.internalError)
        }
        guard automation["status"]?.stringValue == AutomationStatus.active.rawValue else {
            throw GatewayProblem(
                .wrongState,
                Sentence(
                    "Only active automations can be executed",
                    "Solo se pueden ejecutar automatizaciones activas"
                )
            )
        }
        return Replay.Target(
            id: id,
            key: key,
            version: version,
            signalType: type,
            filter: trigger["filter"].map { Array($0.rawBytes) }
        )
    }

    private static func tooManyRunning(limit: Int) -> GatewayProblem {
        GatewayProblem(
            .wrongState,
            Sentence(
                "\(limit) replays of this tenant are running; wait until one has ended, or cancel one.",
                "Hay \(limit) repeticiones de este inquilino en curso; espere a que termine una o cancele una."
            )
        )
    }

    private static func id(_ request: GatewayRequest) throws -> UUID {
        guard let id = request.parameters.first.flatMap({ UUID(uuidString: $0) }) else {
            throw GatewayProblem.notFound
        }
        return id
    }

    private static func reply(_ status: HTTPResponse.Status, _ replay: Replay) -> Reply {
        var writer = JSONWriter()
        replay.write(to: &writer)
        return Reply(status: status.code, body: writer.bytes)
    }
}
