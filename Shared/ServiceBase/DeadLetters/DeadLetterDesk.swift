import Contracts
import Domain
import FoundationEssentials
package import JSON
package import Logging
package import Messaging
import Persistence
import ServiceRuntime

/// What operators do about the messages that a service could not process: look at them, have them processed after all, or
/// discard them.
///
/// A message is processed by the very function that its queue's deliveries go through, which does nothing twice; then the
/// letter is marked, with its audit entry, in one transaction. A process that ends between the two leaves the letter
/// waiting, and redriving it once more only marks it.
package struct DeadLetterDesk: Sendable {
    /// The longest reason for discarding, in bytes.
    static let longestReason = 1_000
    private static let pageLimits = 1...200

    private let service: String
    private let repository: DeadLetterRepository
    private let lanes: LaneGroup
    private let process: BatchConsumer.Process
    private let classify: BatchConsumer.Classify
    private let changed: @Sendable () -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - service: The service's name on the broker, which is also its schema's.
    ///   - repository: Its dead letters.
    ///   - lanes: Its lanes.
    ///   - process: Commits the work of deliveries of any of its queues.
    ///   - classify: Tells failures apart.
    ///   - changed: Told when letters wait no longer.
    ///   - logger: Told of what fails for a passing reason.
    package init(
        service: ServiceName,
        repository: DeadLetterRepository,
        lanes: LaneGroup,
        process: @escaping BatchConsumer.Process,
        classify: @escaping BatchConsumer.Classify,
        changed: @escaping @Sendable () -> Void = {},
        logger: Logger
    ) {
        self.service = service.rawValue
        self.repository = repository
        self.lanes = lanes
        self.process = process
        self.classify = classify
        self.changed = changed
        self.logger = logger
    }

    /// Answers the requests `<service>.dead_letters.…`.
    package func register(in routes: inout RequestRoutes) {
        for operation in RequestType.DeadLetters.allCases {
            routes.on(RequestType.deadLetters(operation, of: service)) { context, body in
                switch operation {
                case .list: try await list(context, body)
                case .get: try await get(context, body)
                case .redrive: try await redrive(context, body)
                case .discard: try await discard(context, body)
                }
            }
        }
    }

    /// A page of the caller's letters of one state, newest first.
    package func list(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let root = body.root
        guard let state = StoredDeadLetter.State(rawValue: root["state"]?.stringValue ?? "waiting") else {
            throw Problem(.invalidRequest, "There is no such state of a dead letter.")
        }
        let asked = root["limit"]?.int64Value.flatMap { Int(exactly: $0) } ?? 50
        let limit = min(max(asked, Self.pageLimits.lowerBound), Self.pageLimits.upperBound)
        let cursor = root["cursor"]?.stringValue
        let after = cursor.flatMap { DeadLetterCursor($0) }
        guard cursor == nil || after != nil else {
            throw Problem(.invalidCursor)
        }
        let letters = try await repository.page(
            state,
            of: context.tenant,
            after: after,
            count: limit + 1,
            deadline: context.deadline
        )
        let page = letters.prefix(limit)
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for letter in page {
            writer.beginObject()
            letter.writeMembers(to: &writer, service: service)
            writer.endObject()
        }
        writer.endArray()
        writer.member("next", letters.count > limit ? page.last?.cursor.text : nil)
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    /// One letter, whole.
    package func get(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        guard
            let (letter, content) = try await repository.letter(
                Self.id(in: body),
                of: context.tenant,
                deadline: context.deadline
            )
        else {
            throw Self.notFound
        }
        var writer = JSONWriter(capacity: content.body.count * 3 / 2 + 1_024)
        writer.beginObject()
        letter.writeMembers(to: &writer, service: service)
        content.writeMembers(to: &writer)
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    /// Processes a letter's message after all; a letter that was redriven before stays as it is.
    package func redrive(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let id = try Self.id(in: body)
        let claim = UUIDv7.make()
        let claimed = try await repository.claim(id, of: context.tenant, by: claim, deadline: context.deadline)
        guard let (letter, content) = claimed else {
            return try await unclaimed(id, context, wanted: .redriven)
        }
        do {
            try await process([try letter.delivery(content)])
            let redriven = try await settle(
                letter,
                by: repository.redriven(id, claim: claim),
                "redrive",
                context,
                reason: nil
            )
            changed()
            guard let redriven else {
                // It took longer than the claim lasts; whoever has the letter now finds its message processed.
                throw Problem(.inFlight)
            }
            return reply(redriven)
        } catch {
            await release(id, claim)
            throw problem(of: error, letter)
        }
    }

    /// Records that a letter's message is not to be processed; a letter that was discarded before stays as it is.
    package func discard(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let id = try Self.id(in: body)
        guard let reason = body.root["reason"]?.stringValue, (1...Self.longestReason).contains(reason.utf8.count),
            !reason.utf8.contains(0)
        else {
            throw Problem(
                .invalidRequest,
                "A letter is discarded for a reason of 1 to \(Self.longestReason) bytes.",
                detailES: "Una carta se descarta con un motivo de 1 a \(Self.longestReason) bytes.",
                errors: [
                    Problem.Detail(pointer: "/reason", code: "invalid_reason", detail: "It is missing or too long.")
                ]
            )
        }
        let found = try await repository.letter(id, of: context.tenant, deadline: context.deadline)
        guard let letter = found?.letter else {
            throw Self.notFound
        }
        let discarded = try await settle(
            letter,
            by: repository.discarded(id, of: context.tenant, reason: reason),
            "discard",
            context,
            reason: reason
        )
        guard let discarded else {
            return try await unclaimed(id, context, wanted: .discarded)
        }
        changed()
        return reply(discarded)
    }

    /// Changes a letter and leaves the entry of that; nil where the statement finds it no more as it has to be.
    private func settle(
        _ letter: StoredDeadLetter,
        by statement: ChangeStatement,
        _ action: String,
        _ context: RequestContext,
        reason: String?
    ) async throws -> StoredDeadLetter? {
        try await lanes.change { transaction in
            guard let row = try await transaction.execute(statement).first else {
                return .none(nil)
            }
            let settled = try StoredDeadLetter(row)
            let entry = AuditDraft(
                action,
                of: AuditObject(type: "dead_letter", id: letter.id.lowercased),
                before: try letter.auditValue,
                after: try settled.auditValue,
                reason: reason,
                by: context
            )
            return .made(settled, entry)
        }
    }

    /// The answer where a letter is not free to be changed: it is as wanted already, or there is a reason why not.
    private func unclaimed(
        _ id: UUID,
        _ context: RequestContext,
        wanted: StoredDeadLetter.State
    ) async throws -> Reply {
        let found = try await repository.letter(id, of: context.tenant, deadline: context.deadline)
        guard let letter = found?.letter else {
            throw Self.notFound
        }
        switch letter.state {
        case wanted:
            return reply(letter)
        case .waiting:
            throw Problem(
                .inFlight,
                "The letter is being processed by another request; try again in a minute.",
                detailES: "Otra solicitud está procesando la carta; inténtelo de nuevo en un minuto."
            )
        case .redriven:
            throw Problem(
                .wrongState,
                "The letter was redriven already: its message is processed.",
                detailES: "La carta ya se reprocesó: su mensaje está procesado."
            )
        case .discarded:
            throw Problem(
                .wrongState,
                "The letter was discarded: its message is not to be processed.",
                detailES: "La carta se descartó: su mensaje no debe procesarse."
            )
        }
    }

    private func problem(of error: any Error, _ letter: StoredDeadLetter) -> Problem {
        if let problem = error as? Problem {
            return problem
        }
        switch classify(error) {
        case .data:
            return Problem(
                .notProcessable,
                "The message still cannot be processed: \(error)",
                detailES: "El mensaje sigue sin poder procesarse: \(error)"
            )
        case .retry:
            logger.warning(
                "a dead letter cannot be processed now",
                metadata: ["dead_letter_id": "\(letter.id.lowercased)", "error": "\(error)"]
            )
            return Problem(.unavailable)
        }
    }

    /// Gives a letter back; where that fails, the claim ends by itself.
    private func release(_ id: UUID, _ claim: UUID) async {
        try? await repository.release(id, claim: claim, deadline: .now + .seconds(5))
    }

    private func reply(_ letter: StoredDeadLetter) -> Reply {
        var writer = JSONWriter()
        writer.beginObject()
        letter.writeMembers(to: &writer, service: service)
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    private static func id(in body: JSONDocument) throws -> UUID {
        guard let id = body.root["id"]?.stringValue.flatMap({ UUID(uuidString: $0) }) else {
            throw notFound
        }
        return id
    }

    private static let notFound = Problem(
        .notFound,
        "There is no such dead letter.",
        detailES: "No hay ninguna carta muerta con ese identificador."
    )
}
