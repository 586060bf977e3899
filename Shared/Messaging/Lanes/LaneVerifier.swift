import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import RabbitMQ

/// Asks the consumers of one destination which messages they lack, and publishes again what was lost.
///
/// It sleeps while everything is verified. Otherwise it asks about what was confirmed some time ago, a thousand items at
/// a time; `QuestionPace` tells when to ask again, and `LossJudge` a loss from a backlog. Each destination has its own, so
/// that a consumer that is away or frozen holds nothing back but what is meant for it.
actor LaneVerifier {
    /// How long a message is left alone after it was confirmed.
    static let grace = Duration.seconds(2)
    /// How many items are asked about at a time.
    static let window: Int64 = 1_000
    /// How many messages are put together at a time to be published again.
    private static let resending = 64

    /// What was found out about one lane.
    private struct Standing {
        var judge = LossJudge()
        /// Whether the last question was answered; if not, the next one is about a single message, which costs little.
        var isAnswered = true
        var pace = QuestionPace()
    }

    /// What a question was about, and which of it the consumer lacks.
    private struct Finding {
        var asked: [OutboxMessage]
        var lacking: Set<Int64>
        /// The last number that the consumer holds together with all before it.
        var verified: Int64
        /// The message after that, where it was read.
        var next: OutboxMessage?
        /// Whether the consumer holds all that it was asked about, and there is more to ask about.
        var goesOn: Bool

        var judged: [LossJudge.Asked] {
            asked.map { LossJudge.Asked(firstSeq: $0.firstSeq, isHeld: !lacking.contains($0.firstSeq)) }
        }
    }

    private let context: LaneContext
    private let relays: RelayRegistry
    private let destination: Destination
    /// By epoch.
    private var standings: [Int64: Standing] = [:]

    init(context: LaneContext, relays: RelayRegistry, destination: Destination) {
        self.context = context
        self.relays = relays
        self.destination = destination
    }

    /// Works until the task is cancelled.
    func run() async {
        for await _ in relays.changes(of: destination) {
            while !Task.isCancelled, relays.relays(of: destination).contains(where: { !$0.isVerified }) {
                var hasProgress = false
                for relay in relays.relays(of: destination) where !relay.isVerified && isDue(relay) {
                    hasProgress = await verify(relay) || hasProgress
                }
                relays.remove { [destination] in $0.destination == destination && $0.isTakenOver && $0.isVerified }
                if !hasProgress {
                    try? await Task.sleep(for: QuestionPace.waits.lowerBound)
                }
            }
            let epochs = Set(relays.epochs)
            standings = standings.filter { epochs.contains($0.key) }
        }
    }

    private func isDue(_ relay: LaneRelay) -> Bool {
        standings[relay.epoch]?.pace.isDue(at: .now) ?? true
    }

    /// Verifies the next items of one lane; answers whether the watermark has moved.
    private func verify(_ relay: LaneRelay) async -> Bool {
        let progress = relay.progress(confirmedBefore: .now - Self.grace)
        guard progress.askable > progress.verified else {
            return false
        }
        var standing = standings[relay.epoch] ?? Standing()
        var outcome = QuestionPace.Outcome.nothing
        do {
            let finding = try await find(relay, progress, isProbe: !standing.isAnswered)
            standing.isAnswered = true
            let moves = finding.verified > progress.verified
            if moves {
                try await context.repository.progress(
                    epoch: relay.epoch,
                    destination: destination,
                    confirmed: relay.confirmed,
                    verified: finding.verified
                )
            }
            // Only what is stored: a lane that is verified is not looked at again, and its row would stay behind.
            relay.verified(finding.verified, next: finding.next ?? finding.asked.last)
            outcome = finding.goesOn ? .goesOn : moves ? .progress : .nothing
            let lost = try await judge(finding, &standing.judge, relay, progress, hasProgress: moves)
            if !lost.isEmpty {
                try await publishAgain(lost, relay: relay)
                standing.pace.hurry()
            }
        } catch {
            standing.isAnswered = false
            outcome = .nothing
            context.logger.debug(
                "verification is tried again",
                metadata: ["error": "\(error)", "destination": "\(destination)", "epoch": "\(relay.epoch)"]
            )
        }
        standing.pace.answered(outcome, isHeld: progress.isHeld, at: .now)
        standings[relay.epoch] = standing
        return outcome != .nothing
    }

    /// Asks about the items after the watermark.
    private func find(_ relay: LaneRelay, _ progress: LaneRelay.Progress, isProbe: Bool) async throws -> Finding {
        let last = min(progress.verified + (isProbe ? 1 : Self.window), progress.askable)
        let messages = try await context.repository.messages(
            epoch: relay.epoch,
            destination: destination,
            after: progress.verified,
            through: last,
            limit: Int(Self.window),
            withBodies: false
        )
        let asked = messages.filter { $0.lastSeq <= progress.askable }
        let lacking = Set(try await lackingMessages(of: asked, relay: relay).map(\.firstSeq))
        let next = messages.first { $0.lastSeq > progress.askable || lacking.contains($0.firstSeq) }
        // Rows that are not there any more cannot be asked about.
        let end = messages.isEmpty ? last : asked.last?.lastSeq ?? progress.verified
        let verified = asked.first { lacking.contains($0.firstSeq) }.map { $0.firstSeq - 1 } ?? end
        return Finding(
            asked: asked,
            lacking: lacking,
            verified: max(verified, progress.verified),
            next: next,
            goesOn: verified >= end && progress.verified < end && end < progress.askable
        )
    }

    /// What is to be published again, without its bodies.
    private func judge(
        _ finding: Finding,
        _ judge: inout LossJudge,
        _ relay: LaneRelay,
        _ progress: LaneRelay.Progress,
        hasProgress: Bool
    ) async throws -> [OutboxMessage] {
        var candidates = finding.asked
        var tail: LossJudge.Asked?
        // The last message tells a backlog from a loss where nothing that was asked about does.
        if !finding.lacking.isEmpty, !hasProgress, let last = candidates.last?.lastSeq, last < progress.askable {
            let messages = try await context.repository.messages(
                epoch: relay.epoch,
                destination: destination,
                after: progress.askable - 1,
                through: progress.askable,
                limit: 1,
                withBodies: false
            )
            if let message = messages.first, message.lastSeq == progress.askable, message.firstSeq > last {
                let isHeld = try await lackingMessages(of: messages, relay: relay).isEmpty
                tail = LossJudge.Asked(firstSeq: message.firstSeq, isHeld: isHeld)
                candidates.append(message)
            }
        }
        let lost = Set(judge.judge(finding.judged, tail: tail, at: .now))
        return candidates.filter { lost.contains($0.firstSeq) }
    }

    private func publishAgain(_ messages: [OutboxMessage], relay: LaneRelay) async throws {
        context.logger.notice(
            "the consumer lacks messages, which are published again",
            metadata: [
                "destination": "\(destination)", "epoch": "\(relay.epoch)", "messages": "\(messages.count)",
            ]
        )
        var rest = messages[...]
        while !rest.isEmpty {
            let outgoing = try await Self.withBodies(Array(rest.prefix(Self.resending)), destination, context).map {
                $0.outgoing(
                    service: context.service,
                    user: context.brokerUser,
                    producer: relay.producer,
                    epoch: relay.epoch
                )
            }
            _ = try await context.publisher.publish(contentsOf: outgoing, deadline: .now + .seconds(30))
            rest = rest.dropFirst(Self.resending)
        }
    }

    /// Messages with their bodies; without those that have none any more, because somebody else has found out that their
    /// consumer holds them.
    static func withBodies(
        _ messages: [OutboxMessage],
        _ destination: Destination,
        _ context: LaneContext
    ) async throws -> [OutboxMessage] {
        guard destination != .signals else {
            return try await context.withBodies(messages)
        }
        let bodies = try await context.repository.bodies(of: messages.map(\.id))
        return messages.compactMap { message in
            guard let body = bodies[message.id] else {
                return nil
            }
            var message = message
            message.body = body
            return message
        }
    }

    /// The messages of which the consumer lacks anything.
    private func lackingMessages(of messages: [OutboxMessage], relay: LaneRelay) async throws -> [OutboxMessage] {
        guard let first = messages.first, let last = messages.last else {
            return []
        }
        switch destination {
        case .signals:
            let lacking = try await ask(
                "engine",
                RequestType.engineSignalsLacking,
                body: ["signal_ids": .array(messages.flatMap(\.items).map { .string($0.lowercased) })]
            )
            let ids = Set(lacking.compactMap { $0.stringValue.flatMap(UUID.init(uuidString:)) })
            return messages.filter { message in message.items.contains(where: ids.contains) }
        case .audit:
            let lacking = try await ask(
                "audit",
                RequestType.auditLanesPosition,
                body: [
                    "producer": .string(relay.producer), "epoch": .number(relay.epoch),
                    "first": .number(first.firstSeq), "last": .number(last.lastSeq),
                ]
            )
            let ranges: [ClosedRange<Int64>] = lacking.compactMap { range in
                guard let from = range[0]?.int64Value, let to = range[1]?.int64Value, from <= to else {
                    return nil
                }
                return from...to
            }
            return messages.filter { message in
                ranges.contains { $0.overlaps(message.firstSeq...message.lastSeq) }
            }
        case .commands:
            return try await lackingCommands(of: messages)
        }
    }

    private func lackingCommands(of messages: [OutboxMessage]) async throws -> [OutboxMessage] {
        var lacking: [OutboxMessage] = []
        let byService = Dictionary(grouping: messages) { $0.routingKey.prefix { $0 != "." } }
        for (service, commands) in byService {
            let answer = try await ask(
                String(service),
                "\(service).commands.lacking",
                body: ["command_ids": .array(commands.map { .string($0.id.lowercased) })]
            )
            let ids = Set(answer.compactMap { $0.stringValue.flatMap(UUID.init(uuidString:)) })
            lacking += commands.filter { ids.contains($0.id) }
        }
        return lacking.sorted { $0.firstSeq < $1.firstSeq }
    }

    /// Asks a service; answers the array under `lacking`.
    private func ask(_ service: String, _ type: String, body: JSONValue) async throws -> [JSONValue] {
        let deadline = ContinuousClock.now + .seconds(5)
        let reply = try await context.requests.call(
            service: service,
            type: type,
            body: try body.canonicalBytes(),
            context: RequestContext(
                tenant: "batuta",
                actor: AuditActor(type: .system, id: context.service),
                requestID: UUIDv7.make().lowercased
            ),
            deadline: deadline
        )
        guard reply.status == 200,
            let lacking = try JSONDocument(parsing: reply.body).root["lacking"]?.value.arrayValue
        else {
            throw LaneError(code: .foreignRow, message: "\(service) answers \(reply.status) to \(type)")
        }
        return lacking
    }
}
