import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import RabbitMQ

/// Asks consumers which messages they lack, and publishes those again: how what the broker lost comes back.
///
/// It sleeps while everything is verified. Otherwise it asks about what was confirmed some time ago, a thousand items at
/// a time, at once again while there is progress, and with growing patience while there is none: a backlog is no loss.
actor LaneVerifier {
    /// How long a message is left alone after it was confirmed.
    static let grace = Duration.seconds(2)
    /// How many items are asked about at a time.
    static let window: Int64 = 1_000

    private struct Patience {
        var wait = Duration.seconds(1)
        var notBefore = ContinuousClock.now
    }

    private struct Key: Hashable {
        var epoch: Int64
        var destination: Destination
    }

    private let context: LaneContext
    private let relays: RelayRegistry
    private var patience: [Key: Patience] = [:]

    init(context: LaneContext, relays: RelayRegistry) {
        self.context = context
        self.relays = relays
    }

    /// Works until the task is cancelled.
    func run() async {
        for await _ in relays.changes {
            while !Task.isCancelled, relays.all.contains(where: { !$0.isVerified }) {
                var hasProgress = false
                for relay in relays.all where !relay.isVerified && isDue(relay) {
                    hasProgress = await verify(relay) || hasProgress
                }
                relays.remove { $0.isTakenOver && $0.isVerified }
                if !hasProgress {
                    try? await Task.sleep(for: .milliseconds(250))
                }
            }
        }
    }

    private func isDue(_ relay: LaneRelay) -> Bool {
        (patience[Key(epoch: relay.epoch, destination: relay.destination)]?.notBefore ?? .now) <= .now
    }

    /// Verifies the next window of one destination; answers whether the watermark has moved.
    private func verify(_ relay: LaneRelay) async -> Bool {
        let progress = relay.progress(confirmedBefore: .now - Self.grace)
        let last = min(progress.verified + Self.window, progress.confirmedLongAgo)
        guard last > progress.verified else {
            return false
        }
        let key = Key(epoch: relay.epoch, destination: relay.destination)
        do {
            let messages = try await context.repository.messages(
                epoch: relay.epoch,
                destination: relay.destination,
                after: progress.verified,
                through: last,
                limit: Int(Self.window)
            )
            let covered = messages.last(where: { $0.lastSeq <= progress.confirmedLongAgo })?.lastSeq ?? last
            let asked = messages.filter { $0.lastSeq <= covered }
            let lacking = try await lackingMessages(of: asked, relay: relay)
            let verified = lacking.first.map { $0.firstSeq - 1 } ?? covered
            if verified > progress.verified {
                relay.verified(verified)
                try await context.repository.progress(
                    epoch: relay.epoch,
                    destination: relay.destination,
                    confirmed: relay.confirmed,
                    verified: verified
                )
                patience[key] = nil
            }
            guard !lacking.isEmpty else {
                return verified > progress.verified
            }
            try await republish(lacking, relay: relay)
        } catch {
            context.logger.debug(
                "verification is tried again",
                metadata: ["error": "\(error)", "destination": "\(relay.destination)", "epoch": "\(relay.epoch)"]
            )
        }
        var wait = patience[key] ?? Patience()
        wait.notBefore = .now + wait.wait
        wait.wait = min(wait.wait * 2, .seconds(60))
        patience[key] = wait
        return false
    }

    private func republish(_ messages: [OutboxMessage], relay: LaneRelay) async throws {
        context.logger.notice(
            "the consumer lacks messages, which are published again",
            metadata: [
                "destination": "\(relay.destination)", "epoch": "\(relay.epoch)", "messages": "\(messages.count)",
            ]
        )
        let outgoing = try await context.withBodies(messages).map {
            $0.outgoing(
                service: context.service,
                user: context.brokerUser,
                producer: relay.producer,
                epoch: relay.epoch
            )
        }
        _ = try await context.publisher.publish(contentsOf: outgoing, deadline: .now + .seconds(30))
    }

    /// The messages of which the consumer lacks anything.
    private func lackingMessages(of messages: [OutboxMessage], relay: LaneRelay) async throws -> [OutboxMessage] {
        guard let first = messages.first, let last = messages.last else {
            return []
        }
        switch relay.destination {
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
