import Domain
import FoundationEssentials
import RabbitMQ

extension OutboxMessage {
    /// The message as it goes to the broker.
    ///
    /// - Parameters:
    ///   - service: The name of the service, as `api-gateway`.
    ///   - user: The broker user of the service, which the broker checks.
    ///   - producer: The name of the lane.
    ///   - epoch: The lane's epoch.
    /// - Returns: The message with all its properties and headers.
    func outgoing(service: String, user: String, producer: String, epoch: Int64) -> OutgoingMessage {
        var headers: [String: HeaderValue] = [
            "x-schema-version": .int64(Int64(schemaVersion)),
            "x-tenant": .string(tenant),
            "x-producer": .string(producer),
            "x-epoch": .int64(epoch),
            "x-seq": .int64(firstSeq),
            "x-count": .int64(lastSeq - firstSeq + 1),
        ]
        if let traceparent {
            headers["traceparent"] = .string(traceparent)
        }
        var properties = MessageProperties()
        properties.contentType = destination.contentType
        properties.messageID = id.lowercased
        properties.type = type
        properties.timestamp = UUIDv7.milliseconds(of: id).map { Int64($0 / 1_000) }
        properties.appID = service
        properties.userID = user
        properties.headers = headers
        return OutgoingMessage(
            exchange: destination.exchange,
            routingKey: routingKey,
            isMandatory: true,
            properties: properties,
            body: body
        )
    }
}

extension Destination {
    var exchange: String {
        switch self {
        case .signals: Topology.signalsExchange
        case .commands: Topology.commandsExchange
        case .audit: Topology.auditExchange
        }
    }

    var contentType: String {
        switch self {
        case .signals: "application/cloudevents-batch+json"
        case .commands: "application/json"
        case .audit: "application/x-ndjson"
        }
    }
}
