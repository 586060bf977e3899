import Domain
package import FoundationEssentials
package import Logging
package import PostgreSQL
package import RabbitMQ

/// What the lanes of one process have in common.
package struct LaneContext: Sendable {
    /// Reads the events of signals that the service has accepted or emitted, by id, from its own table.
    package typealias SignalLoader = @Sendable ([UUID]) async throws -> [UUID: [UInt8]]

    /// The schema's name, which is also the service's name on the broker.
    package let schema: String
    /// The service's name, as `api-gateway`.
    package let service: String
    package let replica: String
    package let instance: UUID
    package let database: PostgresClient
    package let publisher: RabbitMQPublisher
    package let requests: RequestClient
    package let loadSignals: SignalLoader
    package let outbox: OutboxLimits
    package let logger: Logger

    package init(
        schema: String,
        service: String,
        replica: String,
        instance: UUID = UUIDv7.make(),
        database: PostgresClient,
        publisher: RabbitMQPublisher,
        requests: RequestClient,
        loadSignals: @escaping SignalLoader = { _ in [:] },
        outbox: OutboxLimits = OutboxLimits(),
        logger: Logger
    ) {
        self.schema = schema
        self.service = service
        self.replica = replica
        self.instance = instance
        self.database = database
        self.publisher = publisher
        self.requests = requests
        self.loadSignals = loadSignals
        self.outbox = outbox
        self.logger = logger
    }

    var repository: LaneRepository {
        LaneRepository(schema: schema, database: database)
    }

    var brokerUser: String { "batuta_\(schema)" }

    /// Puts the bodies of signal messages together that were read from the outbox.
    func withBodies(_ messages: [OutboxMessage]) async throws -> [OutboxMessage] {
        let ids = messages.filter(\.body.isEmpty).flatMap(\.items)
        guard !ids.isEmpty else {
            return messages
        }
        let events = try await loadSignals(ids)
        return messages.map { message in
            guard message.body.isEmpty, !message.items.isEmpty else {
                return message
            }
            var message = message
            message.body = Self.array(of: message.items.compactMap { events[$0] })
            return message
        }
    }

    private static func array(of events: [[UInt8]]) -> [UInt8] {
        var body: [UInt8] = [UInt8(ascii: "[")]
        body.append(contentsOf: events.joined(separator: [UInt8(ascii: ",")]))
        body.append(UInt8(ascii: "]"))
        return body
    }
}
